import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import {
  eventFaults,
  heldByCustomer,
  moneyOfTrader,
  outcomesOf,
  outsideFaults,
  owedToCustomer,
  tradesOf,
} from './audit.ts'
import type { Bourse } from './bourse.ts'
import { pause, until } from './calls.ts'
import {
  bankClient,
  bankControl,
  exchangeControl,
  signUp,
  type BankSideBody,
  type TradeBody,
  type TraderClient,
  type TransactionBody,
} from './clients.ts'
import { LIMIT_MS } from './limits.ts'
import { insist, lasting, runLoad, type Load } from './load.ts'
import { reportOf, runCommand } from './process.ts'

const KILLS = Number(process.env['BOURSE_TEST_KILLS'] ?? '3')
const OPERATIONS = Number(process.env['BOURSE_TEST_OPERATIONS'] ?? '200')
const SEED = testSeed()
const CUSTOMERS = 12
const TRADERS = 12
const DEMO_BALANCE = 10_000n * 100_000_000n

const say = (text: string): void => void process.stderr.write(`kill: ${text}\n`)

/** Kills and restarts at random moments of the load; `progress` says how much of it is done. */
const killAgainAndAgain = async (bourse: Bourse, progress: () => number, limitMs: number): Promise<number[]> => {
  const random = createSeededRandom(SEED)
  const moments = Array.from({ length: KILLS }, () => random.between(2, Math.floor(OPERATIONS * 0.9))).sort(
    (a, b) => a - b,
  )
  const downMs: number[] = []
  for (const moment of moments) {
    await until(
      async () => progress(),
      (done) => done >= moment,
      limitMs,
    )
    await pause(random.below(60))
    const startedMs = performance.now()
    await bourse.kill()
    await bourse.start()
    downMs.push(Math.floor(performance.now() - startedMs))
  }
  return downMs
}

/** A platform to be killed, and how its data are verified once it has stopped. */
export interface KillScenario {
  readonly title: string
  create(): Promise<Bourse>
  verifyArguments(bourse: Bourse): readonly string[]
  /** How long a start may take on a busy machine, ms: each adds as much to the time of a test. */
  readonly startMsMax: number
}

/** Kills a platform again and again under load; then everything must be as what was answered says, to the last unit. */
export const testKills = ({ title, create, verifyArguments, startMsMax }: KillScenario): void =>
  describe(title, () => {
    const limitMs = LIMIT_MS + KILLS * startMsMax + OPERATIONS * 60
    let bourse: Bourse
    let traders: TraderClient[] = []
    let load: Load
    let transactions: TransactionBody[] = []
    const bank = () => bankClient(bourse.url)

    beforeAll(async () => {
      say(
        `seed ${SEED}, ${KILLS} kills, ${OPERATIONS} operations (BOURSE_TEST_SEED, BOURSE_TEST_KILLS, BOURSE_TEST_OPERATIONS)`,
      )
      bourse = await create()
      await bourse.start()
      traders = await Promise.all(Array.from({ length: TRADERS }, (_, who) => signUp(bourse.url, `trader-${who}`)))
      let done = 0
      const onDone = (count: number): void => void (done = count)
      const startedMs = performance.now()
      const stage = { seed: SEED, onDone, bank: bank(), customers: CUSTOMERS, traders, operations: OPERATIONS }
      const [downMs, finished] = await Promise.all([killAgainAndAgain(bourse, () => done, limitMs), runLoad(stage)])
      load = finished
      const seconds = Math.floor((performance.now() - startedMs) / 1_000)
      say(`${load.done.length} operations in ${seconds} s, ${load.repeats} repeats, down ${downMs.join(' ')} ms`)
      say(JSON.stringify(outcomesOf(load.done)))
      const recorded = load.done.filter(({ kind }) => kind !== 'open' && kind !== 'close').length
      // The list is a view: it may lag behind the answers.
      const isWhole = (found: readonly TransactionBody[]): boolean =>
        found.length >= recorded && found.every(({ status }) => status !== 'PENDING')
      transactions = await until(() => bank().transactions(), isWhole)
    }, limitMs)

    afterAll(() => bourse.remove(), limitMs)

    test('every operation came to an end that a working platform gives', () => {
      const ofBank = /^(deposit|buy|sell) (201|INSUFFICIENT_FUNDS|INSUFFICIENT_LIQUIDITY|BANK_CONNECTION_ERROR)$/
      const ofTrader = /^(open|close) (200|INSUFFICIENT_FUNDS|PRICE_STALE)$/
      expect(
        Object.keys(outcomesOf(load.done)).filter((outcome) => !ofBank.test(outcome) && !ofTrader.test(outcome)),
      ).toEqual([])
      const good = load.done.filter(({ answer }) => answer.status < 300).length
      expect(good).toBeGreaterThan(load.done.length * 0.7)
    })

    test(
      'every key repeated once more gives the first outcome, byte for byte',
      async () => {
        const differing: string[] = []
        for (const { kind, key, answer, again } of load.done) {
          const repeated = lasting(await insist(again))
          if (repeated !== lasting(answer)) differing.push(`${kind} ${key}: ${lasting(answer)} then ${repeated}`)
        }
        expect(differing).toEqual([])
      },
      limitMs,
    )

    test('every bank key has one transaction, and there is none besides', async () => {
      const keyed = load.done.filter(({ kind }) => kind !== 'open' && kind !== 'close')
      const found = await Promise.all(keyed.map(({ key }) => bank().byKey(key)))
      expect(found.map(({ idempotencyKey }) => idempotencyKey)).toEqual(keyed.map(({ key }) => key))
      expect(found.map(({ status }) => status)).toEqual(
        keyed.map(({ answer }) => (answer.status === 201 ? 'COMPLETED' : 'FAILED')),
      )
      expect(new Set(found.map(({ id }) => id)).size).toBe(keyed.length)
      expect(transactions.map(({ id }) => id).sort()).toEqual(found.map(({ id }) => id).sort())
    })

    test('every successful opening is one trade of the list, none is there twice', async () => {
      for (const [who, trader] of traders.entries()) {
        const ids = tradesOf(load.done, who)
          .map(({ tradeId }) => tradeId)
          .sort()
        const closes = load.done.filter((one) => one.kind === 'close' && one.who === who && one.answer.status === 200)
        const closedOf = (found: readonly TradeBody[]) => found.filter(({ status }) => status === 'closed')
        const listed = await until(
          () => trader.trades(),
          (found) => found.length >= ids.length && closedOf(found).length >= closes.length,
        )
        expect(listed.map(({ tradeId }) => tradeId).sort()).toEqual(ids)
        expect(closedOf(listed)).toHaveLength(closes.length)
      }
    })

    test(
      'the exchange executed each completed trade once and nothing else, and the bank knows every end',
      async () => {
        const side = bankControl(bourse.bankUrl)
        // A reversal is repeated until acknowledged: the last ones may still be on their way.
        const faults = await until(
          async () => {
            const seen = await Promise.all(
              transactions.map(async ({ id }): Promise<[string, BankSideBody | null]> => [
                id,
                await side.transaction(id),
              ]),
            )
            return outsideFaults(transactions, await exchangeControl(bourse.exchangeUrl).orders(), new Map(seen))
          },
          (found) => found.length === 0,
        ).catch((error: unknown) => [String(error)])
        expect(faults).toEqual([])
      },
      limitMs,
    )

    test('the bank got every event at least once, in one sequence without a gap', async () => {
      const side = bankControl(bourse.bankUrl)
      const events = await until(
        () => side.events(),
        (found) => found.length >= transactions.length,
      )
      expect(eventFaults(events, transactions)).toEqual([])
      const kept = await until(
        () => bank().events(),
        (found) => found.length >= events.length,
      )
      expect(kept.map(({ sequence, id, data }) => ({ sequence, id, data }))).toEqual(
        [...events].sort((a, b) => a.sequence - b.sequence).map(({ sequence, id, data }) => ({ sequence, id, data })),
      )
    })

    test('the balances are the sum of what was answered, to the last unit', async () => {
      for (let who = 0; who < CUSTOMERS; who++) {
        const held = await heldByCustomer(bank(), `customer-${who}`)
        expect(held).toEqual({ ...owedToCustomer(load.done, who), locked: 0n })
      }
      for (const [who, trader] of traders.entries()) {
        const closed = load.done.filter((one) => one.kind === 'close' && one.who === who && one.answer.status === 200)
        const money = await moneyOfTrader(
          trader,
          DEMO_BALANCE,
          closed.map(({ answer }) => answer),
        )
        expect(money.held).toEqual(money.owed)
      }
    })

    test(
      'SIGTERM ends it in order, and a replay from genesis finds nothing wrong',
      async () => {
        expect(await bourse.stop()).toEqual({ code: 0, signal: null })
        const verified = await runCommand('verify', verifyArguments(bourse))
        const report = reportOf<{
          ok: boolean
          records: number
          faults: unknown[]
          money: { openTrades: number; sums: object }
        }>(verified)
        say(`verified ${report.records} records`)
        expect(report.faults).toEqual([])
        expect(verified.code).toBe(0)
        const opened = load.done.filter(({ kind, answer }) => kind === 'open' && answer.status === 200).length
        const closed = load.done.filter(({ kind, answer }) => kind === 'close' && answer.status === 200).length
        expect(report.money.openTrades).toBe(opened - closed)
        expect(Object.values(report.money.sums).map((sum) => parseAmount(String(sum)))).toEqual([0n, 0n, 0n])
      },
      limitMs,
    )
  })
