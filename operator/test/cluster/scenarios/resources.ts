import { call, newKey, pause, type Answer } from '../../../../services/all-in-one/test/support/calls.ts'
import { bankClient, codeOf, engineData, type TradeBody } from '../../../../services/all-in-one/test/support/clients.ts'
import { isReady, secretOf, type KubeObject, type Pod } from '../support/cluster.ts'
import { untilCondition, type Described } from '../support/installation.ts'
import { insist } from '../../../../services/all-in-one/test/support/load.ts'
import { newcomer } from '../support/load.ts'
import { bankManifest, pairManifest } from '../support/manifests.ts'
import { scenario, type OpenStage } from '../support/stage.ts'
import { apiKeyOf } from './install.ts'
import { until } from '../support/wait.ts'

/** What is left of the overlap when the Secret says so, ms. */
const REST_MS = 8_000
/** How much the clocks of this machine and of a cluster elsewhere may differ. */
const SKEW_MS_MAX = 1_000

const SUSPENDED = 'BANK_SUSPENDED'

const untilRefusedWith = (code: string, ask: () => Promise<Answer>): Promise<Answer> =>
  until(ask, (answer) => codeOf(answer) === code)

const milliseconds = (beganMs: number): string => `${Math.round(performance.now() - beganMs)} ms`

/** Every gateway by its pod's address: what is in force is in force at each. */
const gatewayUrls = async ({ now: { cluster } }: OpenStage): Promise<readonly string[]> =>
  (await cluster.list<Pod>('pod', 'app.kubernetes.io/component=gateway'))
    .filter(isReady)
    .map(({ status }) => `http://${status.podIP}:3000`)

/** Whether a key is taken; a question about nobody's accounts is answered 404 then. */
const isTaken = async (url: string, key: string): Promise<boolean> => {
  const { status } = await call(`${url}/api/v1/users/nobody/accounts`, { headers: { 'x-api-key': key } })
  return status !== 401
}

/** A bank's key through its life. */
export const declareBanks = (stage: OpenStage): void => {
  scenario(stage, 'bank created, key used, rotated, refused, suspended', async () => {
    const { cluster, installation } = stage.now
    const createdMs = performance.now()
    await cluster.apply(
      bankManifest('acme', installation.callbackUrl, { apiKeys: { rotateAfterDays: 90, overlapHours: 1 } }),
    )
    const first = await apiKeyOf(cluster, 'acme')
    const deposit = () => bankClient(installation.url, first).deposit('zoe', '100.00')
    await until(deposit, ({ status }) => status === 201)
    const used = milliseconds(createdMs)
    await untilCondition(cluster, 'bank', 'acme', 'Ready', 'True')

    await cluster.kubectl('annotate', 'bank', 'acme', `bourse.dev/rotate-key=${Date.now()}`)
    const rotated = await until(
      () => secretOf(cluster, 'bank-acme-key'),
      (found) => found !== null && found['api-key'] !== first,
    )
    const second = rotated?.['api-key'] ?? ''
    const urls = await gatewayUrls(stage)
    for (const url of urls) await until(() => isTaken(url, second), Boolean)
    for (const url of urls) if (!(await isTaken(url, first))) throw new Error('the old key is refused in the overlap')

    const previous = new Date(Date.now() + REST_MS).toISOString().replace(/\.\d+Z$/u, 'Z')
    const data = { 'previous-expires-at': previous }
    await cluster.kubectl(
      'patch',
      'secret',
      'bank-acme-key',
      '--type=merge',
      '-p',
      JSON.stringify({ stringData: data }),
    )
    const shortenedMs = performance.now()
    const untilRefused = async (url: string): Promise<void> => {
      await until(
        () => isTaken(url, first),
        (taken) => !taken,
      )
      if (Date.now() < Date.parse(previous) - SKEW_MS_MAX)
        throw new Error('the old key is refused before its time is over')
    }
    await Promise.all(urls.map(untilRefused))
    const refused = milliseconds(shortenedMs)

    await cluster.kubectl('patch', 'bank', 'acme', '--type=merge', '-p', '{"spec":{"state":"Suspended"}}')
    const suspendedMs = performance.now()
    for (const url of urls) await untilRefusedWith(SUSPENDED, () => bankClient(url, second).deposit('zoe', '1.00'))
    const suspended = milliseconds(suspendedMs)
    return (
      `first deposit after ${used}, old key good beside the new one, refused ${refused} after its end was set to ` +
      `${REST_MS} ms (in the Secret, in place of an hour), ` +
      `${SUSPENDED} at all ${urls.length} gateways after ${suspended}`
    )
  })
}

/** What is deleted goes as its policy says, and not before it may. */
export const declareDeletions = (stage: OpenStage): void => {
  scenario(stage, 'banks deleted by both policies', async () => {
    const { cluster, installation } = stage.now
    const remove = async (deletionPolicy: 'Retain' | 'Delete') => {
      const name = `bank-${deletionPolicy.toLowerCase()}`
      const manifest = bankManifest(name, installation.callbackUrl, { deletionPolicy })
      await cluster.apply(manifest)
      const bank = bankClient(installation.url, await apiKeyOf(cluster, name))
      const deposit = () => bank.deposit('ann', '10.00')
      await until(deposit, ({ status }) => status === 201)
      const beganMs = performance.now()
      await cluster.kubectl('delete', 'bank', name, '--timeout=9m')
      const gone = `gone after ${milliseconds(beganMs)}`
      return { manifest, deposit, gone, secret: await secretOf(cluster, `bank-${name}-key`) }
    }
    // Side by side: each waits for its transactions to settle.
    const [retained, deleted] = await Promise.all([remove('Retain'), remove('Delete')])
    await untilRefusedWith(SUSPENDED, retained.deposit)
    if (retained.secret === null) throw new Error('under Retain: its Secret is gone')
    await cluster.apply(retained.manifest)
    await until(retained.deposit, ({ status }) => status === 201)
    const refused = await until(deleted.deposit, ({ status }) => status === 401)
    if (deleted.secret !== null) throw new Error('under Delete: its Secret is still there')
    return (
      `Retain: ${retained.gone}, ${SUSPENDED}, Secret kept, back with the same key when it is created again; ` +
      `Delete: ${deleted.gone}, ${codeOf(refused)}, Secret gone`
    )
  })

  scenario(stage, 'a pair with an open trade is deleted', async () => {
    const { cluster, installation } = stage.now
    const symbol = 'GONE_USDC'
    await cluster.apply(pairManifest({ symbol, partitions: 1 }))
    const trader = await newcomer(installation.url, 'gone')
    const opened: string[] = []
    const noted = async () => {
      const key = newKey()
      // To the last word: a trade of which nothing is known would keep the pair for ever.
      const answer = await insist(() => trader.open({ asset: symbol, margin: '10', leverage: 2 }, key))
      if (answer.status === 200) opened.push(engineData<TradeBody>(answer).tradeId)
      return answer
    }
    await until(noted, ({ status }) => status === 200)
    await cluster.kubectl('delete', 'tp', 'gone-usdc', '--wait=false')
    const refused = await untilRefusedWith('MARKET_REDUCE_ONLY', noted)
    await pause(3_000)
    const waiting = await cluster.object<Described>('tp', 'gone-usdc')
    if (waiting === null) throw new Error('the pair is gone with a trade open')
    const why = waiting.status?.conditions?.map(({ type, reason }) => `${type} ${reason}`).join(', ')
    for (const tradeId of opened) {
      // Another key each time: a refusal for want of a fresh price is the last word on its own.
      const close = (key = newKey()) => insist(() => trader.close(tradeId, key))
      await until(
        () => close(),
        ({ status }) => status === 200,
      )
    }
    const closedMs = performance.now()
    await until(
      () => cluster.object<Described>('tp', 'gone-usdc'),
      (found) => found === null,
    )
    const gone = milliseconds(closedMs)
    await until(
      () => cluster.object<KubeObject>('statefulset', 'pair-gone-usdc'),
      (found) => found === null,
    )
    return `opening refused ${codeOf(refused)}, it waits (${why}), gone ${gone} after the close, its shards with it`
  })
}
