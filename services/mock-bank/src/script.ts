/**
 * The script that drives a whole buy as a bank's back end would: deposit, quote, buy, the same buy again
 * under its key, accounts, "did it happen?" by key, events. It uses the public bank API only.
 */
import { isDeepStrictEqual } from 'node:util'
import { formatAmount, parseAmount, type Units } from '@bourse/common/money/amount.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'

const CALL_TIMEOUT_MS = 30_000
const POLL_MS = 100
const EVENT_PAGE = 100

/** One step of the script and how it ended; `detail` is one line for a reader. */
export interface Step {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What the script needs. */
export interface DriveBuyOptions {
  /** Base URL of the core, such as `http://127.0.0.1:3000`. */
  readonly coreUrl: string
  readonly apiKey: string
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly ids: Ids
  /** Default: a customer never seen before. */
  readonly bankUserId?: string
  /** Fiat, a decimal string; default `100.00`. */
  readonly amount?: string
  /** Default `AZN`. */
  readonly currency?: string
  /** How long the event may take to appear; default 10,000. */
  readonly eventTimeoutMs?: number
}

/** Something was not as the contract says; ends the script. */
class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError'
}

type Fields = Readonly<Record<string, unknown>>

interface Reply {
  readonly status: number
  readonly body: unknown
}

const expectThat = (condition: boolean, otherwise: string): void => {
  if (!condition) throw new UnexpectedError(otherwise)
}

const fieldsOf = (value: unknown, what: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnexpectedError(`${what} is not an object: ${JSON.stringify(value)}`)
  }
  return value as Fields
}

const textOf = (fields: Fields, name: string): string => {
  const value = fields[name]
  if (typeof value !== 'string') {
    throw new UnexpectedError(`'${name}' is not a string: ${JSON.stringify(fields)}`)
  }
  return value
}

const unitsOf = (fields: Fields, name: string): Units => parseAmount(textOf(fields, name))

const expectEqual = (fields: Fields, name: string, others: Fields, otherName: string): void => {
  const value = unitsOf(fields, name)
  const other = unitsOf(others, otherName)
  expectThat(value === other, `${name} is ${formatAmount(value)}, not the quoted ${formatAmount(other)}`)
}

const listOf = (value: unknown, what: string): readonly Fields[] => {
  if (!Array.isArray(value)) throw new UnexpectedError(`${what} is not a list: ${JSON.stringify(value)}`)
  return value.map((item) => fieldsOf(item, what))
}

const sumsByCurrency = (entries: readonly Fields[]): ReadonlyMap<string, Units> => {
  const sums = new Map<string, Units>()
  for (const entry of entries) {
    const code = textOf(entry, 'currency')
    sums.set(code, (sums.get(code) ?? 0n) + unitsOf(entry, 'amount'))
  }
  return sums
}

type Call = (method: string, path: string, body?: object, idempotencyKey?: string) => Promise<Reply>

const createCall =
  ({ coreUrl, apiKey, fetch }: DriveBuyOptions): Call =>
  async (method, path, body, idempotencyKey) => {
    const response = await fetch(`${coreUrl}/api/v1${path}`, {
      method,
      headers: {
        'x-api-key': apiKey,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'x-idempotency-key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    return { status: response.status, body: await response.json() }
  }

const created = (reply: Reply, what: string): Fields => {
  expectThat(reply.status === 201, `${what} answered ${reply.status}: ${JSON.stringify(reply.body)}`)
  return fieldsOf(reply.body, what)
}

const successData = (reply: Reply, what: string): Fields => {
  const body = created(reply, what)
  expectThat(body['success'] === true, `${what} was no success: ${JSON.stringify(body)}`)
  return fieldsOf(body['data'], `${what}.data`)
}

/** Balances by currency; a customer who does not exist yet has none. */
const readBalances = async (call: Call, bankUserId: string): Promise<ReadonlyMap<string, Units>> => {
  const { status, body } = await call('GET', `/users/${encodeURIComponent(bankUserId)}/accounts`)
  if (status === 404) return new Map()
  expectThat(status === 200, `accounts answered ${status}: ${JSON.stringify(body)}`)
  const accounts = listOf(body, 'accounts')
  for (const account of accounts) {
    expectThat(unitsOf(account, 'lockedBalance') === 0n, `money is still locked: ${JSON.stringify(account)}`)
  }
  return new Map(accounts.map((account) => [textOf(account, 'currency'), unitsOf(account, 'balance')]))
}

const findEvent = async (
  call: Call,
  clock: Clock,
  timeoutMs: number,
  isWanted: (event: Fields) => boolean,
): Promise<Fields> => {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  let after = 0
  for (;;) {
    const { status, body } = await call('GET', `/events?after=${after}&limit=${EVENT_PAGE}`)
    expectThat(status === 200, `events answered ${status}: ${JSON.stringify(body)}`)
    const events = listOf(Array.isArray(body) ? body : fieldsOf(body, 'events')['events'], 'events')
    const found = events.find(isWanted)
    if (found !== undefined) return found
    const last = events.at(-1)?.['sequence']
    if (typeof last === 'number') after = last
    else {
      expectThat(clock.monotonicMs() < deadlineMs, `no such event within ${timeoutMs} ms`)
      await clock.sleep(POLL_MS)
    }
  }
}

/** "Did it happen?": the transaction under the key, its entries in balance. */
const checkTransaction = async (call: Call, key: string, transactionId: string): Promise<string> => {
  const { status, body } = await call('GET', `/transactions?idempotencyKey=${key}`)
  expectThat(status === 200, `transaction answered ${status}: ${JSON.stringify(body)}`)
  const transaction = fieldsOf(Array.isArray(body) ? body[0] : body, 'transaction')
  const id = transaction['id'] ?? transaction['transactionId']
  expectThat(id === transactionId, `another transaction: ${JSON.stringify(transaction)}`)
  const entries = listOf(transaction['entries'], 'entries')
  expectThat(entries.length === 4, `it has ${entries.length} entries, not 4`)
  for (const [code, sum] of sumsByCurrency(entries)) {
    expectThat(sum === 0n, `its entries in ${code} sum to ${formatAmount(sum)}`)
  }
  return `${String(transaction['status'])} with 4 entries that sum to zero in each currency`
}

type NamedStep = readonly [name: string, run: () => Promise<string>]

const stepsOf = (options: DriveBuyOptions): readonly NamedStep[] => {
  const { clock, ids, amount = '100.00', currency = 'AZN', eventTimeoutMs = 10_000 } = options
  const call = createCall(options)
  const bankUserId = options.bankUserId ?? `user_${ids.uuid()}`
  const buyKey = ids.uuid()
  let before: ReadonlyMap<string, Units> = new Map()
  let quote: Fields = {}
  let bought: Fields = {}
  const buy = (): Promise<Reply> =>
    call('POST', '/trade/buy', { bankUserId, quoteId: textOf(quote, 'quoteId'), amount, currency }, buyKey)

  return [
    [
      'deposit',
      async () => {
        before = await readBalances(call, bankUserId)
        const reference = `drive-buy ${buyKey}`
        const data = successData(
          await call('POST', '/deposits', { bankUserId, amount, currency, reference }, ids.uuid()),
          'deposit',
        )
        expectThat(data['status'] === 'COMPLETED', `the deposit is ${JSON.stringify(data['status'])}`)
        return `${bankUserId} has ${amount} ${currency} more (${textOf(data, 'transactionId')})`
      },
    ],
    [
      'quote',
      async () => {
        quote = created(await call('POST', '/quotes', { bankUserId, side: 'BUY', amount, currency }), 'quote')
        const fiat = unitsOf(quote, 'fiatAmount')
        expectThat(fiat === parseAmount(amount), `the quote is for ${formatAmount(fiat)}`)
        return `${textOf(quote, 'cryptoAmount')} at ${textOf(quote, 'price')}`
      },
    ],
    [
      'buy',
      async () => {
        bought = successData(await buy(), 'buy')
        expectThat(bought['status'] === 'COMPLETED', `the buy is ${JSON.stringify(bought['status'])}`)
        expectEqual(bought, 'cryptoAmount', quote, 'cryptoAmount')
        expectEqual(bought, 'exchangeRate', quote, 'price')
        const bill = `${textOf(bought, 'cryptoAmount')} ${textOf(bought, 'cryptoCurrency')}`
        return `${bill} at ${textOf(bought, 'exchangeRate')} (${textOf(bought, 'transactionId')})`
      },
    ],
    [
      'repeat',
      async () => {
        const again = successData(await buy(), 'repeat')
        expectThat(isDeepStrictEqual(again, bought), `the same key answered ${JSON.stringify(again)}`)
        return 'the same key has the same answer'
      },
    ],
    [
      'accounts',
      async () => {
        const after = await readBalances(call, bankUserId)
        const crypto = textOf(bought, 'cryptoCurrency')
        const gain = (code: string): Units => (after.get(code) ?? 0n) - (before.get(code) ?? 0n)
        expectThat(gain(currency) === 0n, `${currency} changed by ${formatAmount(gain(currency))}, not by 0`)
        const isRight = gain(crypto) === unitsOf(bought, 'cryptoAmount')
        expectThat(isRight, `${crypto} changed by ${formatAmount(gain(crypto))}`)
        return `${crypto} +${formatAmount(gain(crypto))}, the deposited ${currency} spent once`
      },
    ],
    [
      'transaction',
      async () => {
        return checkTransaction(call, buyKey, textOf(bought, 'transactionId'))
      },
    ],
    [
      'events',
      async () => {
        const event = await findEvent(
          call,
          clock,
          eventTimeoutMs,
          (candidate) =>
            candidate['type'] === 'transaction.completed' &&
            fieldsOf(candidate['data'], 'event.data')['transactionId'] === bought['transactionId'],
        )
        return `transaction.completed is event ${String(event['sequence'])}`
      },
    ],
  ]
}

/**
 * Runs the script. Every step is in the result up to and including the first that was not as expected; what
 * goes wrong (an answer, a connection) is that step's `detail`, never a rejection.
 */
export const driveBuy = async (options: DriveBuyOptions): Promise<readonly Step[]> => {
  const steps: Step[] = []
  for (const [name, run] of stepsOf(options)) {
    try {
      steps.push({ name, ok: true, detail: await run() })
    } catch (error) {
      steps.push({ name, ok: false, detail: error instanceof Error ? error.message : String(error) })
      break
    }
  }
  return steps
}
