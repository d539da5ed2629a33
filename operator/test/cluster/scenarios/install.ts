import { bankClient, type TraderClient } from '../../../../services/all-in-one/test/support/clients.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import { NAMESPACE, secretOf, type Cluster } from '../support/cluster.ts'
import { provideImage, TAGS } from '../support/image.ts'
import {
  clear,
  findInstallation,
  helmApply,
  untilCondition,
  untilDefined,
  untilReady,
} from '../support/installation.ts'
import { newcomer, startLoad } from '../support/load.ts'
import { bankManifest, pairManifest } from '../support/manifests.ts'
import { runOk } from '../support/shell.ts'
import { scenario, showing, type OpenStage } from '../support/stage.ts'
import { until } from '../support/wait.ts'

const TRADERS = 4
const CUSTOMERS = 3
/**
 * Between two operations of one actor, ms. The MongoDB stand-in reads no index: what a run writes must stay within a few thousand
 * documents, or every write of the platform waits for it.
 */
const EVERY_MS = Number(process.env['BOURSE_TEST_EVERY_MS'] ?? '6000')
const SEED = testSeed()

/** Opens a trade as soon as anything answers at all. */
const firstTrade = async (url: string): Promise<void> => {
  const trader = await newcomer(url, 'first')
  await until(
    () => trader.open({ asset: 'BTC_USDC', margin: '10', leverage: 2 }),
    ({ status }) => status === 200,
  )
}

/** The demo bank's API key, once the operator has made it. */
export const apiKeyOf = async (cluster: Cluster, bank: string): Promise<string> => {
  const secret = await until(
    () => secretOf(cluster, `bank-${bank}-key`),
    (found) => found?.['api-key'] !== undefined,
  )
  return secret?.['api-key'] ?? ''
}

/** Installs from nothing and trades; then the load begins, which runs through all that follows. */
export const declareInstall = (stage: OpenStage): void => {
  showing('image built and loaded', async () => {
    const { cluster } = stage.now
    await clear(cluster)
    await provideImage(cluster, [TAGS.first, TAGS.next])
    await runOk('kubectl', ['create', 'namespace', NAMESPACE], { env: cluster.env })
    return TAGS.first
  })

  showing('install from nothing to the first trade', async () => {
    const { cluster } = stage.now
    const beganMs = performance.now()
    await helmApply(cluster, 'install', { tag: TAGS.first })
    const installedMs = performance.now()
    await untilDefined(cluster)
    const installation = await findInstallation(cluster)
    stage.set({ installation })
    await cluster.apply(
      pairManifest({ symbol: 'BTC_USDC' }),
      pairManifest({ symbol: 'SOL_USDC', partitions: 2 }),
      bankManifest('demo', installation.callbackUrl),
    )
    await untilReady(installation.url)
    const readyMs = performance.now()
    await firstTrade(installation.url)
    const ms = (until: number): string => `${((until - beganMs) / 1_000).toFixed(1)} s`
    return `helm done after ${ms(installedMs)}, ready after ${ms(readyMs)}, first trade after ${ms(performance.now())}`
  })

  showing('load begins', async () => {
    const { cluster, installation } = stage.now
    const bank = bankClient(installation.url, await apiKeyOf(cluster, 'demo'))
    await untilCondition(cluster, 'bank', 'demo', 'Ready', 'True')
    const traders: TraderClient[] = []
    for (let who = 0; who < TRADERS; who++) traders.push(await newcomer(installation.url, `trader-${who}`))
    const load = startLoad({
      seed: SEED,
      bank,
      customers: CUSTOMERS,
      traders,
      assets: ['BTC_USDC', 'SOL_USDC'],
      everyMs: EVERY_MS,
    })
    stage.set({ bank, traders, load })
    return `seed ${SEED}, ${TRADERS} traders and ${CUSTOMERS} customers, an operation of each every ${EVERY_MS} ms`
  })

  scenario(stage, 'new pair applied, traded', async () => {
    const { cluster, installation } = stage.now
    const trader = await newcomer(installation.url, 'eth')
    const beganMs = performance.now()
    await cluster.apply(pairManifest({ symbol: 'ETH_USDC', partitions: 2 }))
    await until(
      () => trader.open({ asset: 'ETH_USDC', margin: '10', leverage: 2 }),
      ({ status }) => status === 200,
    )
    const tradedMs = performance.now() - beganMs
    await untilCondition(cluster, 'tp', 'eth-usdc', 'Ready', 'True')
    return `traded ${(tradedMs / 1_000).toFixed(1)} s after kubectl apply`
  })
}
