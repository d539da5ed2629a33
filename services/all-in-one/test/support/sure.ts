import { codeOf, dataOf, engineData, type BankClient, type TradeBody, type TraderClient } from './clients.ts'
import { newKey, pause, type Answer } from './calls.ts'
import { WAIT_MS_MAX } from './limits.ts'
import { insist } from './load.ts'

const AGAIN_MS = 100
/** There is no price yet, or none any more. */
const PRICELESS = new Set(['PRICE_STALE'])
/** The exchange or the bank did not answer in time: their machine is ours, and it may stand still. */
const UNHEARD = new Set(['INSUFFICIENT_LIQUIDITY', 'BANK_CONNECTION_ERROR'])

/** Insists, under a new key each time that the end is one of `passing`. */
const anew = async (send: (key: string) => Promise<Answer>, passing: ReadonlySet<string>): Promise<Answer> => {
  const endMs = performance.now() + WAIT_MS_MAX
  for (;;) {
    const key = newKey()
    const answer = await insist(() => send(key))
    if (!passing.has(codeOf(answer) ?? '') || performance.now() > endMs) return answer
    await pause(AGAIN_MS)
  }
}

/** Opens a trade as somebody does who wants it, once there is a price. */
export const opened = async (trader: TraderClient, fields: object): Promise<TradeBody> =>
  engineData<TradeBody>(await anew((key) => trader.open(fields, key), PRICELESS))

/** Closes a trade as somebody does who wants it closed. */
export const closed = async (trader: TraderClient, tradeId: string): Promise<TradeBody> =>
  engineData<TradeBody>(await anew((key) => trader.close(tradeId, key), PRICELESS))

/** What a completed buy or sell answered. */
export interface Bought {
  readonly transactionId: string
}

/** Buys as somebody does who wants it. */
export const bought = async (bank: BankClient, customer: string, amount: string): Promise<Bought> =>
  dataOf<Bought>(await anew((key) => bank.buy(customer, amount, key), UNHEARD))

/** Sells as somebody does who wants it. */
export const sold = async (bank: BankClient, customer: string, amount: string): Promise<Bought> =>
  dataOf<Bought>(await anew((key) => bank.sell(customer, amount, key), UNHEARD))

/** Deposits once, however often that must be said. */
export const deposited = async (bank: BankClient, customer: string, amount: string): Promise<void> => {
  const key = newKey()
  dataOf(await insist(() => bank.deposit(customer, amount, key)))
}
