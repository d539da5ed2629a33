import { expect, test } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  countsOf,
  eventFaults,
  heldByCustomer,
  moneyOfTrader,
  outcomesOf,
  outsideFaults,
  owedToCustomer,
} from '../../../../services/all-in-one/test/support/audit.ts'
import {
  bankControl,
  exchangeControl,
  type BankSideBody,
} from '../../../../services/all-in-one/test/support/clients.ts'
import { inRoot } from '../../../../services/common/tooling/paths.mjs'
import { type KindName, type KubeObject } from '../support/cluster.ts'
import { checkOut, TAGS } from '../support/image.ts'
import { helmApply, RELEASE, untilCondition, untilReady, untilRolled } from '../support/installation.ts'
import { forEach, repeatAll } from '../support/judge.ts'
import { untilSpread } from '../support/shards.ts'
import { run } from '../support/shell.ts'
import { say, scenario, showing, type OpenStage } from '../support/stage.ts'
import { secondsSince, until } from '../support/wait.ts'

const DEMO_BALANCE = 10_000n * 100_000_000n
const CUSTOMERS = 3
const END_MS_MAX = 30 * 60_000
const VIEW_MS_MAX = 10 * 60_000

/** After everything: the load's own account of what happened, against the platform's, the exchange's and the bank's. */
export const declareAudit = (stage: OpenStage): void => {
  test(
    'the load ends: every acknowledged key is answered alike once more, and the books agree with every answer',
    async () => {
      const { load, bank, traders, installation } = stage.now
      await load.hold()
      const { done, faults, sent, repeats } = load.counts()
      const differing = await repeatAll(done)
      say(
        `whole load: sent ${sent}, acknowledged ${done.length}, lost ${differing.length}, repeats ${repeats}, ` +
          JSON.stringify(outcomesOf(done)),
      )
      expect({ faults, differing }).toEqual({ faults: [], differing: [] })
      for (let who = 0; who < CUSTOMERS; who++)
        expect(await heldByCustomer(bank, `customer-${who}`)).toEqual({ ...owedToCustomer(done, who), locked: 0n })
      for (const [who, trader] of traders.entries()) {
        const closed = done.filter((one) => one.kind === 'close' && one.who === who && one.answer.status === 200)
        const money = await moneyOfTrader(
          trader,
          DEMO_BALANCE,
          closed.map(({ answer }) => answer),
        )
        expect(money.held).toEqual(money.owed)
      }
      const side = bankControl(installation.bankUrl)
      const found = await until(
        async () => {
          const transactions = await bank.transactions()
          const seen = new Map<string, BankSideBody | null>()
          await forEach(transactions, async ({ id }) => void seen.set(id, await side.transaction(id)))
          const own = new Set(transactions.map(({ id }) => id))
          const orders = (await exchangeControl(installation.exchangeUrl).orders()).filter(({ clientOrderId }) =>
            own.has(clientOrderId),
          )
          const events = (await side.events()).filter(({ data }) => own.has(data.transactionId))
          return [...outsideFaults(transactions, orders, seen), ...eventFaults(events, transactions)]
        },
        (some) => some.length === 0,
        VIEW_MS_MAX,
      ).catch((error: unknown) => [String(error)])
      expect(found).toEqual([])
      say(`books: ${JSON.stringify(countsOf(done.map(({ kind }) => kind)))}, exchange and bank agree`)
      load.resume()
    },
    END_MS_MAX,
  )
}

/** The commit whose chart is upgraded from; null when history does not have one. */
const earlierCommit = async (): Promise<string | null> => {
  const given = process.env['BOURSE_TEST_UPGRADE_FROM']
  if (given !== undefined) return given
  const { stdout } = await run('git', ['-C', inRoot(), 'log', '-n', '2', '--format=%H', '--', 'charts/bourse'])
  return stdout.trim().split('\n')[1] ?? null
}

/** The chart of an earlier commit, in a folder for as long as `use` takes. */
const withEarlierChart = async <Result>(
  commit: string,
  use: (chart: string | null) => Promise<Result>,
): Promise<Result> => {
  const parent = await mkdtemp(join(tmpdir(), 'earlier-'))
  const folder = join(parent, 'tree')
  const isThere = await checkOut(commit, folder)
  try {
    return await use(isThere ? join(folder, 'charts', 'bourse') : null)
  } finally {
    if (isThere) await run('git', ['-C', inRoot(), 'worktree', 'remove', '--force', folder])
    await rm(parent, { recursive: true, force: true })
  }
}

/** Every process is replaced twice under load: by those of another image and an earlier chart, and back by an upgrade. */
export const declareUpgrade = (stage: OpenStage): void => {
  const settled = async (): Promise<void> => {
    const { cluster, installation } = stage.now
    await untilSpread(cluster, installation, 'pair-btc-usdc', { shards: 2, partitions: 4 })
    await untilReady(installation.url)
    for (const pair of ['btc-usdc', 'sol-usdc', 'eth-usdc']) await untilCondition(cluster, 'tp', pair, 'Ready', 'True')
  }

  scenario(stage, 'rolling update to another image, and to the chart of an earlier commit', async () => {
    const { cluster } = stage.now
    const commit = await earlierCommit()
    const roll = async (chart: string | null): Promise<string> => {
      const beganMs = performance.now()
      await helmApply(cluster, 'upgrade', { tag: TAGS.next, ...(chart === null ? {} : { chart }) })
      await untilRolled(cluster, TAGS.next)
      await settled()
      const which = chart === null ? 'this one, for history has no earlier' : `that of ${commit?.slice(0, 7)}`
      return `every process runs it after ${secondsSince(beganMs)}; the chart is ${which}`
    }
    return commit === null ? roll(null) : withEarlierChart(commit, roll)
  })

  scenario(stage, 'helm upgrade to this chart and image', async () => {
    const { cluster } = stage.now
    const beganMs = performance.now()
    await helmApply(cluster, 'upgrade', { tag: TAGS.first })
    await untilRolled(cluster, TAGS.first)
    await settled()
    return `every process runs it after ${secondsSince(beganMs)}`
  })
}

/** The release goes, its data stay. */
export const declareUninstall = (stage: OpenStage): void =>
  showing('uninstall leaves what the policy says', async () => {
    const { cluster } = stage.now
    await cluster.helm('uninstall', RELEASE, '--wait', '--timeout', '10m')
    const names = async (kind: KindName) => (await cluster.list<KubeObject>(kind)).map(({ metadata }) => metadata.name)
    const pairs = await names('tp')
    expect(pairs).toContain('btc-usdc')
    const kept = {
      definitions: (await cluster.kubectl('get', 'crd', '-o', 'name')).includes('tradingpairs.bourse.dev'),
      pairs: pairs.length,
      banks: (await names('bank')).length,
      claims: (await names('pvc')).length,
      secrets: (await names('secret')).filter((name) => !name.startsWith('sh.helm')),
    }
    expect(kept.definitions).toBe(true)
    expect(kept.secrets).toEqual(expect.arrayContaining([`${RELEASE}-secrets`, `${RELEASE}-backing`, 'bank-demo-key']))
    expect(kept.claims).toBeGreaterThan(0)
    expect(await names('deployment')).toEqual([])
    return `gone: its processes; kept: ${JSON.stringify(kept)}`
  })
