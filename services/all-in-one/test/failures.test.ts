import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createBourse, type Bourse } from './support/bourse.ts'
import { newKey, until, type Answer } from './support/calls.ts'
import {
  bankClient,
  bankControl,
  codeOf,
  exchangeControl,
  type BankSideBody,
  type FaultBody,
  type OrderBody,
  type TransactionBody,
} from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist, lasting } from './support/load.ts'
import { writeManifests, type BankOptions } from './support/manifests.ts'
import { runCommand } from './support/process.ts'
import { bought, deposited } from './support/sure.ts'

/**
 * How long the platform waits for the bank, and how often it asks: so long that the machine, which is the bank's too, may stand
 * still meanwhile; and shortly where the bank is late at every attempt. What is late is later than both.
 */
const BANK_TIMEOUT_MS = 5_000
const SHORT_TIMEOUT_MS = 400
const LATE_MS = BANK_TIMEOUT_MS + 1_000
const ATTEMPTS = 4
const bankWaiting = (timeoutMs: number): BankOptions => ({ timeoutMs, retries: ATTEMPTS - 1 })

/** What a buy of 100.00 AZN at 1.7306 comes to. */
const BOUGHT = ['AZN 900.00', 'USDT 57.78']
const UNTOUCHED = ['AZN 1000.00']

describe('the world outside fails', () => {
  let bourse: Bourse
  let customers = 0
  const bank = () => bankClient(bourse.url)
  const exchange = () => exchangeControl(bourse.exchangeUrl)
  const bankSide = () => bankControl(bourse.bankUrl)

  beforeAll(async () => {
    bourse = await createBourse({ banks: [bankWaiting(BANK_TIMEOUT_MS)] })
    await bourse.start()
  }, LIMIT_MS)
  beforeEach(async () => {
    await exchange().control({ faults: [], fills: [] })
    await bankSide().control({ faults: [], decline: [] })
  })
  afterAll(() => bourse.remove())

  const newCustomer = async (): Promise<string> => {
    const customer = `customer-${(customers += 1)}`
    await deposited(bank(), customer, '1000.00')
    return customer
  }

  /** All that is left of a buy once everything about it has come to rest. */
  interface Left {
    readonly answer: Answer
    readonly transaction: TransactionBody
    readonly money: readonly string[]
    readonly order: OrderBody | null
    readonly seen: BankSideBody | null
  }

  const leftOf = async (customer: string, key: string, answer: Answer): Promise<Left> => {
    const transaction = await bank().byKey(key)
    const atRest = (seen: BankSideBody | null): boolean =>
      seen?.state !== 'AUTHORIZED' || transaction.status === 'COMPLETED'
    const seen = await until(() => bankSide().transaction(transaction.id), atRest)
    const orders = (await exchange().orders()).filter(({ clientOrderId }) => clientOrderId === transaction.id)
    expect(orders.length).toBeLessThanOrEqual(1)
    const accounts = await bank().accounts(customer)
    expect(accounts.filter(({ lockedBalance }) => Number(lockedBalance) !== 0)).toEqual([])
    const money = accounts.map(({ currency, balance }) => `${currency} ${balance}`).sort()
    expect(lasting(await insist(() => bank().buy(customer, '100.00', key)))).toBe(lasting(answer))
    return { answer, transaction, money, order: orders[0] ?? null, seen }
  }

  const buy = async (customer: string): Promise<Left> => {
    const key = newKey()
    return leftOf(customer, key, await insist(() => bank().buy(customer, '100.00', key)))
  }

  /** The exchange's faults that a buy survives: one order, executed once. */
  test.each<[string, FaultBody[]]>([
    ['answers the order later than we wait', [{ on: 'order', kind: 'slow', ms: 2_600, count: 1 }]],
    ['cuts the connection after executing', [{ on: 'order', kind: 'drop', count: 1 }]],
    ['gets the order twice', [{ on: 'order', kind: 'twice', count: 1 }]],
    [
      'cuts the order and can not say what became of it at first',
      [
        { on: 'order', kind: 'drop', count: 1 },
        { on: 'order-status', kind: 'error', count: 2 },
      ],
    ],
    [
      'refuses to say what became of it at first',
      [
        { on: 'order', kind: 'drop', count: 1 },
        { on: 'order-status', kind: 'reject', count: 1 },
      ],
    ],
    ['is asked for its ticker twice', [{ on: 'ticker', kind: 'twice', count: 1 }]],
  ])(
    'the exchange %s: the customer has what was promised, bought once',
    async (_, faults) => {
      const customer = await newCustomer()
      await exchange().faults(...faults)
      const { answer, money, order, seen } = await buy(customer)
      expect([answer.status, money]).toEqual([201, BOUGHT])
      expect([order?.status, order?.executedQty]).toEqual(['FILLED', '57.78'])
      expect(seen).toMatchObject({ state: 'AUTHORIZED', reversals: 0 })
    },
    LIMIT_MS,
  )

  test.each<[string, FaultBody[], 'REJECTED' | null, 'REVERSED' | null]>([
    ['rejects the order', [{ on: 'order', kind: 'reject', count: 1 }], 'REJECTED', 'REVERSED'],
    ['has no ticker', [{ on: 'ticker', kind: 'error' }], null, null],
    ['cuts the ticker', [{ on: 'ticker', kind: 'drop' }], null, null],
    ['refuses its ticker', [{ on: 'ticker', kind: 'reject' }], null, null],
    ['hangs at the ticker', [{ on: 'ticker', kind: 'hang' }], null, null],
    [
      'is gone for orders and for questions',
      [
        { on: 'order', kind: 'error' },
        { on: 'order-status', kind: 'error', count: 3 },
      ],
      null,
      'REVERSED',
    ],
  ])(
    'the exchange %s: INSUFFICIENT_LIQUIDITY, the money is back, the bank has it reversed',
    async (_, faults, order, seen) => {
      const customer = await newCustomer()
      await exchange().faults(...faults)
      const left = await buy(customer)
      expect([left.answer.status, codeOf(left.answer)]).toEqual([503, 'INSUFFICIENT_LIQUIDITY'])
      expect([left.transaction.status, left.transaction.entries, left.money]).toEqual(['FAILED', [], UNTOUCHED])
      expect([left.order?.status ?? null, left.seen?.state ?? null]).toEqual([order, seen])
    },
    LIMIT_MS,
  )

  test(
    'orders that never arrive are sent no more once their time is over: the money is back and the bank has them reversed',
    async () => {
      const [lost, failed] = [await newCustomer(), await newCustomer()]
      await exchange().faults({ on: 'order', kind: 'hang', count: 1 }, { on: 'order', kind: 'error', count: 1 })
      for (const left of await Promise.all([buy(lost), buy(failed)])) {
        expect([left.answer.status, codeOf(left.answer)]).toEqual([503, 'INSUFFICIENT_LIQUIDITY'])
        expect([left.money, left.order, left.seen?.state]).toEqual([UNTOUCHED, null, 'REVERSED'])
      }
    },
    LIMIT_MS,
  )

  test(
    'the exchange fills a part only, and dearer: the customer has what was promised, the house bears the rest',
    async () => {
      const customer = await newCustomer()
      await exchange().control({ fills: [{ executedPrice: '1.7400', executedQty: '50.00', count: 1 }] })
      const { answer, money, order } = await buy(customer)
      expect([answer.status, money, order?.executedQty]).toEqual([201, BOUGHT, '50.00'])
    },
    LIMIT_MS,
  )

  test.each<[string, FaultBody[]]>([
    ['fails three times', [{ on: 'authorization', kind: 'error', count: ATTEMPTS - 1 }]],
    ['hangs once', [{ on: 'authorization', kind: 'hang', count: 1 }]],
    ['acknowledges and cuts the connection', [{ on: 'authorization', kind: 'drop', count: 1 }]],
    ['is asked twice', [{ on: 'authorization', kind: 'twice', count: 1 }]],
    ['is late once', [{ on: 'authorization', kind: 'slow', ms: LATE_MS, count: 1 }]],
  ])(
    'the bank %s, then acknowledges: bought once',
    async (_, faults) => {
      const customer = await newCustomer()
      await bankSide().faults(...faults)
      const { answer, money, order, seen } = await buy(customer)
      expect([answer.status, money, order?.status, seen?.state]).toEqual([201, BOUGHT, 'FILLED', 'AUTHORIZED'])
    },
    LIMIT_MS,
  )

  test.each<[string, FaultBody[], number, string, 'DECLINED' | 'REVERSED']>([
    ['says no', [{ on: 'authorization', kind: 'reject', count: 1 }], 422, 'BANK_DECLINED', 'REVERSED'],
    [
      'fails at every attempt',
      [{ on: 'authorization', kind: 'error', count: ATTEMPTS }],
      502,
      'BANK_CONNECTION_ERROR',
      'REVERSED',
    ],
    [
      'hangs at every attempt',
      [{ on: 'authorization', kind: 'hang', count: ATTEMPTS }],
      502,
      'BANK_CONNECTION_ERROR',
      'REVERSED',
    ],
    [
      'acknowledges, too late, at every attempt',
      [{ on: 'authorization', kind: 'slow', ms: LATE_MS, count: ATTEMPTS }],
      502,
      'BANK_CONNECTION_ERROR',
      'REVERSED',
    ],
    [
      'cuts the connection at every attempt',
      [{ on: 'authorization', kind: 'drop', count: ATTEMPTS }],
      502,
      'BANK_CONNECTION_ERROR',
      'REVERSED',
    ],
    [
      'says no, and fails when told to reverse',
      [
        { on: 'authorization', kind: 'reject', count: 1 },
        { on: 'reversal', kind: 'error', count: 2 },
      ],
      422,
      'BANK_DECLINED',
      'REVERSED',
    ],
  ])(
    'the bank %s: nothing is bought, the money is back, the bank has it reversed',
    async (_, faults, status, code, state) => {
      const customer = await newCustomer()
      // In force a moment later; until then it takes longer to the same end.
      const isLate = faults.some(({ kind, count }) => (kind === 'slow' || kind === 'hang') && count === ATTEMPTS)
      await writeManifests(bourse.manifests, [], [bankWaiting(isLate ? SHORT_TIMEOUT_MS : BANK_TIMEOUT_MS)])
      await bankSide().faults(...faults)
      const left = await buy(customer)
      expect([left.answer.status, codeOf(left.answer)]).toEqual([status, code])
      expect([left.transaction.status, left.money, left.order]).toEqual(['FAILED', UNTOUCHED, null])
      const seen = await until(
        () => bankSide().transaction(left.transaction.id),
        (now) => (now?.reversals ?? 0) > 0,
      )
      expect(seen?.state).toBe(state)
    },
    LIMIT_MS,
  )

  test(
    'webhooks that fail are kept and come in order, none missing, once the bank takes them',
    async () => {
      await writeManifests(bourse.manifests, [], [bankWaiting(BANK_TIMEOUT_MS)])
      await until(
        () => bank().events(),
        (all) => all.length > 0,
      )
      await bankSide().faults({ on: 'webhook', kind: 'error' })
      const before = (await bankSide().events()).length
      const customer = await newCustomer()
      let last = ''
      for (let count = 0; count < 3; count++) last = (await bought(bank(), customer, '10.00')).transactionId
      const kept = await until(
        () => bank().events(),
        (all) => all.some(({ data }) => data.transactionId === last),
      )
      expect(kept.map(({ sequence }) => sequence)).toEqual(kept.map((_, index) => index + 1))
      expect(kept.length).toBeGreaterThanOrEqual(before + 4)
      expect((await bankSide().events()).length).toBeLessThanOrEqual(before + 1)
      await bankSide().faults({ on: 'webhook', kind: 'drop', count: 1 }, { on: 'webhook', kind: 'hang', count: 1 })
      const received = await until(
        () => bankSide().events(),
        (all) => all.length >= kept.length,
      )
      expect(received.map(({ sequence }) => sequence)).toEqual(kept.map(({ sequence }) => sequence))
      expect(received.map(({ id }) => id)).toEqual(kept.map(({ id }) => id))
    },
    LIMIT_MS,
  )

  test(
    'after all of it the books are right',
    async () => {
      expect((await bourse.stop()).code).toBe(0)
      const { code, stdout } = await runCommand('verify', ['--data-dir', bourse.dataDir])
      expect([code, stdout.match(/FAULT.*/g)]).toEqual([0, null])
    },
    LIMIT_MS,
  )
})
