import { createSeededIds, createSeededRandom, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { pause, type Answer } from './calls.ts'
import { codeOf, engineData, type BankClient, type TraderClient } from './clients.ts'

/** One operation with its key and its one outcome. */
export interface Done {
  readonly kind: 'deposit' | 'buy' | 'sell' | 'open' | 'close'
  readonly key: string
  /** Customer or trader. */
  readonly who: number
  /** The amount it asked for: fiat, crypto or margin. */
  readonly amount: string
  readonly answer: Answer
  /** Sends it once more, with the same key. */
  readonly again: () => Promise<Answer>
}

/** What a load did. */
export interface Load {
  readonly done: readonly Done[]
  /** Times a request was sent again because there was no final answer. */
  readonly repeats: number
}

/** Longer than a platform of many processes takes to start on a busy machine, ms. */
const PATIENCE_MS = 600_000
const REPEAT_AFTER_MS = 60
/** Of 100 requests so many are sent twice at the same moment. */
const TWICE_PERCENT = 10

/** An answer's text without how long it took. */
export const lasting = ({ status, text }: Answer): string => `${status} ${text.replace(/"latency":\d+/, '"latency":0')}`

/** Whether this is the last word on a request: not "still running" and not "not accepted". */
const isFinal = (answer: Answer): boolean =>
  answer.status !== 202 && answer.status !== 429 && codeOf(answer) !== 'UNAVAILABLE'

/** Sends until there is a final answer, as a client must that has lost one. */
export const insist = async (send: () => Promise<Answer>, onRepeat: () => void = () => undefined): Promise<Answer> => {
  const end = performance.now() + PATIENCE_MS
  let last = 'no answer'
  for (; performance.now() < end; await pause(REPEAT_AFTER_MS)) {
    try {
      const answer = await send()
      if (isFinal(answer)) return answer
      last = lasting(answer)
    } catch (error) {
      // The process is gone or going: what became of the request only a repeat can tell.
      last = String(error)
    }
    onRepeat()
  }
  throw new Error(`no final answer within ${PATIENCE_MS} ms: ${last}`)
}

/** What the actors of a load share. */
interface Stage {
  readonly seed: number
  readonly onDone: (count: number) => void
}

const createRecorder = ({ onDone }: Stage) => {
  const done: Done[] = []
  let repeats = 0
  let isGivenUp = false
  const onRepeat = (): void => {
    repeats += 1
    if (isGivenUp) throw new Error('the load was given up')
  }
  const outcomeOf = async ({ again }: Omit<Done, 'answer'>, isTwice: boolean): Promise<Answer> => {
    const [answer, other] = await Promise.all([insist(again, onRepeat), isTwice ? insist(again, onRepeat) : null])
    if (other !== null && lasting(other) !== lasting(answer)) {
      throw new Error(`one key, two outcomes: ${lasting(answer)} and ${lasting(other)}`)
    }
    return answer
  }
  const perform = async (operation: Omit<Done, 'answer'>, isTwice: boolean): Promise<Answer> => {
    const answer = await outcomeOf(operation, isTwice).catch((error: unknown) => {
      // One fault ends the load: the others must neither go on nor keep anybody waiting.
      isGivenUp = true
      onDone(Number.MAX_SAFE_INTEGER)
      throw error
    })
    if (isGivenUp) throw new Error('the load was given up')
    done.push({ ...operation, answer })
    onDone(done.length)
    return answer
  }
  return { perform, load: (): Load => ({ done, repeats }) }
}

type Recorder = ReturnType<typeof createRecorder>

const DEPOSIT = '400.00'

/** A customer of the bank: a deposit, then buys (some beyond the balance) and a sell now and then. */
const actCustomer = async (
  bank: BankClient,
  who: number,
  count: number,
  random: SeededRandom,
  { perform }: Recorder,
) => {
  const ids = createSeededIds(random)
  const customer = `customer-${who}`
  const deposited = { kind: 'deposit', key: ids.uuid(), who, amount: DEPOSIT } as const
  await perform(
    { ...deposited, again: () => bank.deposit(customer, DEPOSIT, deposited.key) },
    random.chance(TWICE_PERCENT),
  )
  let owned = 0
  for (let operation = 0; operation < count; operation++) {
    const key = ids.uuid()
    const isTwice = random.chance(TWICE_PERCENT)
    if (owned > 2 && random.chance(10)) {
      const sold = { kind: 'sell', key, who, amount: '1.00', again: () => bank.sell(customer, '1.00', key) } as const
      if ((await perform(sold, isTwice)).status === 201) owned -= 1
      continue
    }
    const amount = random.chance(5) ? '999.00' : `${random.between(2, 9)}.${random.between(10, 99)}`
    const bought = { kind: 'buy', key, who, amount, again: () => bank.buy(customer, amount, key) } as const
    if ((await perform(bought, isTwice)).status === 201) owned += 1
  }
}

/** A trader: opens (some beyond the balance), and closes of what was opened. */
const actTrader = async (
  trader: TraderClient,
  who: number,
  count: number,
  random: SeededRandom,
  { perform }: Recorder,
) => {
  const ids = createSeededIds(random)
  for (let operation = 0; operation < count; operation++) {
    const key = ids.uuid()
    const margin = random.chance(5) ? '50000' : `${random.between(5, 60)}.${random.between(10, 99)}`
    const fields = {
      asset: random.pick(['BTC_USDC', 'SOL_USDC']),
      direction: random.pick(['LONG', 'SHORT']),
      margin,
      leverage: random.between(1, 8),
    }
    const opening = { kind: 'open', key, who, amount: margin, again: () => trader.open(fields, key) } as const
    const opened = await perform(opening, random.chance(TWICE_PERCENT))
    if (opened.status !== 200 || random.chance(50)) continue
    const { tradeId } = engineData<{ tradeId: string }>(opened)
    const closeKey = ids.uuid()
    const closing = {
      kind: 'close',
      key: closeKey,
      who,
      amount: margin,
      again: () => trader.close(tradeId, closeKey),
    } as const
    await perform(closing, random.chance(TWICE_PERCENT))
  }
}

/**
 * Bank trades and CFD openings of many customers and traders side by side, `operations` buys, sells and opens in all
 * (deposits and closes come on top). Each request is repeated with its key until it has its final answer.
 */
export const runLoad = async (
  stage: Stage & {
    readonly bank: BankClient
    readonly customers: number
    readonly traders: readonly TraderClient[]
    readonly operations: number
  },
): Promise<Load> => {
  const recorder = createRecorder(stage)
  const half = Math.ceil(stage.operations / 2)
  const share = (actors: number): number => Math.ceil(half / actors)
  const customers = Array.from({ length: stage.customers }, (_, who) =>
    actCustomer(stage.bank, who, share(stage.customers), createSeededRandom(stage.seed * 1_000 + who), recorder),
  )
  const traders = stage.traders.map((trader, who) =>
    actTrader(trader, who, share(stage.traders.length), createSeededRandom(stage.seed * 1_000 + 500 + who), recorder),
  )
  await Promise.all([...customers, ...traders])
  return recorder.load()
}
