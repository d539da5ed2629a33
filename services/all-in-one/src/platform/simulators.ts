import { startMockBank } from '@bourse/mock-bank/service.ts'
import { startMockExchange } from '@bourse/mock-exchange/service.ts'
import type { Foundation } from './foundation.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'

/** The bank whose callback is the simulator of this process. */
export const DEMO_BANK = 'demo'

/** Where the outside world is. */
export interface Outside {
  readonly exchangeUrl: string
  /** Null when no manifest names the demo bank. */
  readonly demoBankUrl: string | null
}

/** Starts the simulators that are needed: the exchange unless another one is configured, the bank for the demo bank. */
export const startSimulators = async (foundation: Foundation, lifetime: Lifetime): Promise<Outside> => {
  const { config, folder, logger, clock, manifests, webhookSecrets } = foundation
  const shared = { host: config.host, dataDir: folder.simulators, logger, clock }
  let exchangeUrl = config.exchangeUrl
  if (exchangeUrl === null) {
    const exchange = await startMockExchange({ ...shared, port: config.mockExchangePort })
    lifetime.onStop(() => exchange.stop())
    exchangeUrl = exchange.url
  }
  if (!manifests.banks.some((bank) => bank.name === DEMO_BANK)) return { exchangeUrl, demoBankUrl: null }
  const bank = await startMockBank({
    ...shared,
    port: config.mockBankPort,
    webhookSecrets: [...webhookSecrets.values()],
  })
  lifetime.onStop(() => bank.stop())
  return { exchangeUrl, demoBankUrl: bank.url }
}
