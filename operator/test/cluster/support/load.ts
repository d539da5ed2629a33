import { createSeededIds, createSeededRandom, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { pause, type Answer } from '../../../../services/all-in-one/test/support/calls.ts'
import {
  engineData,
  signUp,
  type BankClient,
  type TradeBody,
  type TraderClient,
} from '../../../../services/all-in-one/test/support/clients.ts'
import { insist, lasting, type Done } from '../../../../services/all-in-one/test/support/load.ts'
import { answerOf } from './wait.ts'

/** An operation with how long it took until its final answer, repeats included. */
export interface Acknowledged extends Done {
  readonly tookMs: number
}

/** What a load has done so far. */
export interface Counts {
  readonly sent: number
  readonly repeats: number
  readonly done: readonly Acknowledged[]
  /** What no client may see: no final answer in minutes, one key with two outcomes. */
  readonly faults: readonly string[]
}

/** Trading and bank operations that go on until they are stopped. */
export interface Load {
  counts(): Counts
  /** Nothing new begins; resolves when everything that was sent has its answer. */
  hold(): Promise<void>
  resume(): void
  stop(): Promise<void>
}

/** Who acts, and how often. */
export interface LoadOptions {
  readonly seed: number
  readonly bank: BankClient
  readonly customers: number
  readonly traders: readonly TraderClient[]
  readonly assets: readonly string[]
  /** Between two operations of one actor, ms. */
  readonly everyMs: number
}

/** Signs a trader up; under another name when the answer did not come, since the first one may be taken. */
export const newcomer = (url: string, name: string): Promise<TraderClient> =>
  answerOf(() => signUp(url, `${name}-${(newcomers += 1)}`))
let newcomers = 0

/** Trades that one trader leaves open. */
const OPEN_MAX = 4
const DEPOSIT = '900.00'
/** Of 100 requests so many are sent twice at the same moment. */
const TWICE_PERCENT = 10

type Operation = Omit<Done, 'answer'>
type Perform = (operation: Operation, random: SeededRandom) => Promise<Answer | null>

/** Deposits, then buys until the money is gone. */
const createCustomer = (bank: BankClient, who: number, random: SeededRandom, perform: Perform) => {
  const ids = createSeededIds(random)
  const customer = `customer-${who}`
  let affordable = 0
  return async (): Promise<void> => {
    const key = ids.uuid()
    if (affordable <= 0) {
      const again = () => bank.deposit(customer, DEPOSIT, key)
      if ((await perform({ kind: 'deposit', key, who, amount: DEPOSIT, again }, random))?.status === 201)
        affordable = 120
      return
    }
    affordable -= 1
    const amount = random.chance(3) ? '9999.00' : `${random.between(2, 6)}.${random.between(10, 99)}`
    await perform({ kind: 'buy', key, who, amount, again: () => bank.buy(customer, amount, key) }, random)
  }
}

/** Opens trades and closes them again. */
const createTrader = (
  trader: TraderClient,
  who: number,
  assets: readonly string[],
  random: SeededRandom,
  perform: Perform,
) => {
  const ids = createSeededIds(random)
  const open: string[] = []
  return async (): Promise<void> => {
    const key = ids.uuid()
    if (open.length > 0 && (open.length >= OPEN_MAX || random.chance(50))) {
      const tradeId = open.shift() ?? ''
      await perform({ kind: 'close', key, who, amount: '0', again: () => trader.close(tradeId, key) }, random)
      return
    }
    const amount = random.chance(3) ? '50000' : `${random.between(5, 40)}.${random.between(10, 99)}`
    const fields = {
      asset: random.pick(assets),
      direction: random.pick(['LONG', 'SHORT']),
      margin: amount,
      leverage: random.between(1, 5),
    }
    const answer = await perform({ kind: 'open', key, who, amount, again: () => trader.open(fields, key) }, random)
    if (answer?.status === 200) open.push(engineData<TradeBody>(answer).tradeId)
  }
}

/** Starts a load; every request is repeated with its key until it has its final answer. */
export const startLoad = (options: LoadOptions): Load => {
  const done: Acknowledged[] = []
  const faults: string[] = []
  let [sent, repeats, inFlight] = [0, 0, 0]
  let [isHeld, isStopped] = [false, false]
  const onRepeat = (): void => void (repeats += 1)

  const answerOf = async ({ again }: Operation, isTwice: boolean): Promise<Answer> => {
    const [answer, other] = await Promise.all([insist(again, onRepeat), isTwice ? insist(again, onRepeat) : null])
    if (other !== null && lasting(other) !== lasting(answer))
      throw new Error(`one key, two outcomes: ${lasting(answer)} and ${lasting(other)}`)
    return answer
  }
  const perform: Perform = async (operation, random) => {
    sent += 1
    inFlight += 1
    const beganMs = performance.now()
    try {
      const answer = await answerOf(operation, random.chance(TWICE_PERCENT))
      done.push({ ...operation, answer, tookMs: performance.now() - beganMs })
      return answer
    } catch (error) {
      faults.push(`${operation.kind} ${operation.key}: ${String(error)}`)
      return null
    } finally {
      inFlight -= 1
    }
  }

  const act = async (random: SeededRandom, step: () => Promise<void>): Promise<void> => {
    await pause(random.below(options.everyMs))
    while (!isStopped) {
      if (!isHeld) await step()
      await pause(options.everyMs)
    }
  }
  const randomOf = (actor: number): SeededRandom => createSeededRandom(options.seed * 1_000 + actor)
  const actors = [
    ...Array.from({ length: options.customers }, (_, who) => {
      const random = randomOf(who)
      return act(random, createCustomer(options.bank, who, random, perform))
    }),
    ...options.traders.map((trader, who) => {
      const random = randomOf(500 + who)
      return act(random, createTrader(trader, who, options.assets, random, perform))
    }),
  ]
  return {
    counts: () => ({ sent, repeats, done, faults }),
    hold: async () => {
      isHeld = true
      while (inFlight > 0) await pause(20)
    },
    resume: () => void (isHeld = false),
    stop: async () => {
      isStopped = true
      await Promise.all(actors)
    },
  }
}
