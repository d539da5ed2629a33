import { isDeepStrictEqual } from 'node:util'
import { createBourse, type Bourse } from './bourse.ts'
import { pause, until } from './calls.ts'
import { adminClient, bankClient, signUp, type TraderClient } from './clients.ts'
import { eventsTaken } from './history.ts'
import { poll, type BankOptions, type PairOptions } from './manifests.ts'
import { closed, deposited, opened } from './sure.ts'
import { startTicker, type Ticker } from './ticker.ts'

/** A platform whose prices the test sets, with a trader, a stranger and a customer who have money. */
export interface World {
  readonly bourse: Bourse
  /** Of BTC_USDC, at 60000. */
  readonly btc: Ticker
  /** Of SOL_USDC, at 200. ETH_USDC never has a price. */
  readonly sol: Ticker
  readonly trader: TraderClient
  readonly stranger: TraderClient
  /** A trade of the trader's that is open, and one that is closed. */
  readonly openId: string
  readonly closedId: string
  stop(): Promise<void>
}

/** The customer of a world, with 1000.00 AZN. */
export const CUSTOMER = 'anna'
/** The pairs of a world. */
export const pairsOf = (
  btc: Ticker,
  sol: Ticker,
  ofSol: { readonly state?: PairOptions['state']; readonly maxAgeSeconds?: number } = {},
): PairOptions[] => {
  const { state = 'Open', ...age } = ofSol
  return [
    { symbol: 'BTC_USDC', prices: poll(btc.url), limits: { minMargin: '0.1', maxOpenTrades: 3 } },
    { symbol: 'SOL_USDC', prices: { ...poll(sol.url), ...age }, state, limits: { maxNotional: '100000' } },
    { symbol: 'ETH_USDC', prices: poll('http://127.0.0.1:1/') },
  ]
}

/** The banks of a world: the demo bank, and another one with a key of its own. */
export const OTHER_KEY = 'the-other-banks-key-of-these-tests-0123456789'
export const banksOf = (demo: BankOptions = {}): BankOptions[] => [demo, { name: 'other' }]

/** Starts a world. */
export const startWorld = async (env: Readonly<Record<string, string>> = {}): Promise<World> => {
  const [btc, sol] = [await startTicker('60000'), await startTicker('200')]
  const bourse = await createBourse({
    pairs: pairsOf(btc, sol),
    banks: banksOf(),
    env: { BOURSE_BANK_OTHER_API_KEY: OTHER_KEY, ENGINE_SNAPSHOT_INTERVAL: '86400000', ...env },
  })
  await bourse.start()
  const [trader, stranger] = [await signUp(bourse.url, 'trader'), await signUp(bourse.url, 'stranger')]
  const open = () => opened(trader, { asset: 'BTC_USDC', margin: '100', leverage: 2 })
  const { tradeId: openId } = await open()
  const { tradeId: closedId } = await open()
  await closed(trader, closedId)
  await deposited(bankClient(bourse.url), CUSTOMER, '1000.00')
  await eventsTaken(bourse, 1)
  return {
    bourse,
    btc,
    sol,
    trader,
    stranger,
    openId,
    closedId,
    stop: async () => {
      await bourse.remove()
      await btc.stop()
      await sol.stop()
    },
  }
}

/** Everything a refusal must leave as it was: all money, all trades. */
export const moneyOf = async ({ bourse, trader, stranger }: World) => {
  const { balances, trades } = await trader.balance()
  return {
    customer: await bankClient(bourse.url).accounts(CUSTOMER),
    trader: balances,
    trades: trades.map(({ pnl: _, ...trade }) => trade),
    stranger: (await stranger.balance()).balances,
  }
}

/** How many records each partition has: what is refused at the door is not even journaled. */
export const recordsOf = async ({ bourse }: World): Promise<string[]> =>
  (await adminClient(bourse.url).partitions()).map(({ name, sequence }) => `${name} ${sequence}`)

/** Looks in a row, a pause apart, that find the same. */
const LOOKS = 10
const LOOK_PAUSE_MS = 50

/** `recordsOf` once nothing that was asked before is recorded any more: partitions tell one another after the answer. */
export const recordsAtRest = async (world: World): Promise<string[]> => {
  let [known, same] = [await recordsOf(world), 0]
  return until(
    async () => {
      await pause(LOOK_PAUSE_MS)
      const now = await recordsOf(world)
      same = isDeepStrictEqual(now, known) ? same + 1 : 0
      return (known = now)
    },
    () => same >= LOOKS,
  )
}
