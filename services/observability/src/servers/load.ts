import { createCaller, objectIn, type CallAnswer, type Caller, type Json } from '@bourse/all-in-one/demo/call.ts'
import { WATCHED_PAIRS } from './manifests.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { clock, pause } from './program.ts'

/** What a load did so far. */
export interface LoadCounts {
  /** Operations begun: each with its key, repeats not counted. */
  readonly sent: number
  /** Those that got an answer for good, a refusal by a rule included. */
  readonly answered: number
  /** Those that got none within two minutes of repeats. */
  readonly givenUp: number
  /** Those not begun because too many were under way. */
  readonly left: number
  readonly underWay: number
  /** Keys that were sent again after their answer, and got another one: must stay 0. */
  readonly contradicted: number
  /** Answers so far, by operation and status. */
  readonly byAnswer: Readonly<Record<string, number>>
}

/** A steady load of traders and banks. */
export interface Load {
  counts(): LoadCounts
  /** Opens and closes a trade and buys for a customer, tried again for a while; null when that works, else what did not. */
  probe(): Promise<string | null>
  /** Begins nothing more and repeats nothing; resolves when what is under way is answered. */
  stop(): Promise<void>
}

/** What a load is made of. */
export interface LoadOptions {
  /** Where a gateway is; asked anew for each call. */
  readonly gatewayUrl: () => string
  readonly bankKey: string
  /** Operations begun each second, however long answers take. */
  readonly tradersPerSecond: number
  readonly banksPerSecond: number
  /** Operations under way at most, where a platform that can not keep up is to be spared; more than it ever needs by default. */
  readonly underWayMax?: number
}

const ids = createSystemIds()
const TRADERS = 6
/** No divisor of the turns after which deposits and sells come: each customer has his turn at everything. */
const CUSTOMERS = 7
/** Operations under way; a load against a platform that does not answer stops here. */
const UNDER_WAY_MAX = 200
const PATIENCE_MS = 120_000
const RETRY_PAUSE_MS = 500
/** Every how many operations a key is sent once more after its answer. */
const REPEAT_EVERY = 10
/** Every how many trader's operations a new one signs up. */
const SIGN_UP_EVERY = 40
const OPEN_TRADES_MAX = 3
/** How long a probe that fails is tried again. */
const PROBE_MS_MAX = 60_000
/** The customer whom only probes buy for. */
const PROBED = 'drill-customer-probed'

interface Trader {
  readonly call: Caller
  readonly open: string[]
}

/** Answers that say nothing about what was done. */
const isOpenEnded = ({ status }: CallAnswer): boolean => status === 429 || status === 202 || status >= 500

/** A status of 5xx that is a decision and stays. */
const isDecided = ({ body }: CallAnswer): boolean =>
  ['INSUFFICIENT_LIQUIDITY', 'BANK_CONNECTION_ERROR', 'PRICE_STALE'].includes(String(body['errorCode']))

const createCounts = () => {
  const counts = { sent: 0, answered: 0, givenUp: 0, left: 0, underWay: 0, contradicted: 0 }
  const stopping = new AbortController()
  const byAnswer: Record<string, number> = {}
  return {
    counts,
    /** Aborted when nothing is to be tried again. */
    stopping,
    saw: (what: string, { status, body }: CallAnswer): void => {
      const key = `${what} ${status}${status >= 400 ? ` ${String(body['errorCode'])}` : ''}`
      byAnswer[key] = (byAnswer[key] ?? 0) + 1
    },
    read: (): LoadCounts => ({ ...counts, byAnswer: { ...byAnswer } }),
  }
}

type Counts = ReturnType<typeof createCounts>

/** Sends with one key until there is an answer for good; now and then once more, to see the same answer. */
const insist = async (what: string, send: () => Promise<CallAnswer>, { counts, saw, stopping }: Counts) => {
  const number = (counts.sent += 1)
  const endMs = clock.monotonicMs() + PATIENCE_MS
  for (; clock.monotonicMs() < endMs && !stopping.signal.aborted; await pause(RETRY_PAUSE_MS)) {
    const answer = await send().catch(() => null)
    if (answer === null) continue
    saw(what, answer)
    if (isOpenEnded(answer) && !isDecided(answer)) continue
    counts.answered += 1
    if (number % REPEAT_EVERY === 0) {
      const again = await send().catch(() => null)
      // A refusal by a market or an exchange is not the key's for good; a price that was given is not one either.
      const isKept = what !== 'quote' && answer.status < 500
      if (isKept && again !== null && !isOpenEnded(again) && again.status !== answer.status) counts.contradicted += 1
    }
    return answer
  }
  counts.givenUp += 1
  return null
}

const keyed = (): Record<string, string> => ({ 'x-idempotency-key': ids.uuid() })

const signUpOnce = async (gatewayUrl: string): Promise<Trader> => {
  const credentials = { email: `drill-${ids.uuid()}@example.com`, password: `drill ${ids.uuid()}` }
  const { status, cookie } = await createCaller(gatewayUrl, {})('POST', '/api/v1/auth/signup', credentials)
  if (status !== 201 || cookie === null) throw new Error(`a trader could not sign up: ${status}`)
  const call = createCaller(gatewayUrl, { cookie })
  const account = await call('POST', '/api/v1/engine', { command: 'CREATE_ACCOUNT' })
  if (account.status !== 200) throw new Error(`a trader got no account: ${account.status}`)
  return { call, open: [] }
}

/** Signs up, as somebody else each time it failed: nobody knows what became of the one before. */
const signUp = async (gatewayUrl: string, { stopping }: Counts): Promise<Trader> => {
  for (const endMs = clock.monotonicMs() + PATIENCE_MS; ; await pause(RETRY_PAUSE_MS)) {
    try {
      return await signUpOnce(gatewayUrl)
    } catch (error) {
      if (stopping.signal.aborted || clock.monotonicMs() > endMs) throw error
    }
  }
}

const tradeIdOf = ({ body }: CallAnswer): string =>
  String(objectIn(objectIn(body, 'engineResponse'), 'data')['tradeId'])

const trade = async ({ call, open }: Trader, turn: number, counts: Counts): Promise<void> => {
  const key = keyed()
  const tradeId = open.length >= OPEN_TRADES_MAX ? open.shift() : undefined
  if (tradeId !== undefined) {
    await insist('close', () => call('POST', '/api/v1/engine', { command: 'CLOSE_TRADE', tradeId }, key), counts)
    return
  }
  const symbols = Object.keys(WATCHED_PAIRS)
  const order = {
    command: 'CREATE_TRADE',
    asset: symbols[turn % symbols.length],
    direction: turn % 3 === 0 ? 'SHORT' : 'LONG',
    margin: '20',
    leverage: 1 + (turn % 8),
  }
  const answer = await insist('open', () => call('POST', '/api/v1/engine', order, key), counts)
  if (answer?.status === 200) open.push(tradeIdOf(answer))
}

const deposit = (call: Caller, bankUserId: string, key: Record<string, string>): Promise<CallAnswer> =>
  call('POST', '/api/v1/deposits', { bankUserId, amount: '2000.00', currency: 'AZN', reference: 'drill' }, key)

/** Of ten turns: four buys, two of them on a quote, a sell, a deposit … and so on, the same order each time. */
const bank = async (call: Caller, bankUserId: string, turn: number, counts: Counts): Promise<void> => {
  const key = keyed()
  const post = (path: string, body: Json): Promise<CallAnswer> => call('POST', `/api/v1${path}`, body, key)
  if (turn % 10 === 9) return void (await insist('deposit', () => deposit(call, bankUserId, key), counts))
  if (turn % 5 === 3) {
    const sale = { bankUserId, amount: '1.00', currency: 'USDT' }
    return void (await insist('sell', () => post('/trade/sell', sale), counts))
  }
  const order = { bankUserId, amount: '5.00', currency: 'AZN' }
  if (turn % 2 === 0) return void (await insist('buy', () => post('/trade/buy', order), counts))
  const quoted = await insist('quote', () => post('/quotes', { ...order, side: 'BUY' }), counts)
  if (quoted?.status !== 201) return
  const { quoteId } = quoted.body
  await insist('buy', () => post('/trade/buy', { ...order, quoteId }), counts)
}

/** Begins one of `each` so often that `perSecond` are begun in a second, late answers or not. */
const repeat = (perSecond: number, underWayMax: number, { counts }: Counts, each: (turn: number) => Promise<void>) => {
  const under = new Set<Promise<void>>()
  let turn = 0
  const begin = (): void => {
    if (counts.underWay >= underWayMax) {
      counts.left += 1
      return
    }
    counts.underWay += 1
    // What an operation throws (no connection while signing up) is one that was not answered.
    const operation = each(turn++)
      .catch(() => void (counts.givenUp += 1))
      .finally(() => {
        counts.underWay -= 1
        under.delete(operation)
      })
    under.add(operation)
  }
  const beginning = clock.every(
    1_000 / perSecond,
    () => Promise.resolve(begin()),
    (error) => {
      throw error
    },
  )
  return async (): Promise<void> => {
    await beginning.stop()
    await Promise.all(under)
  }
}

const probeOnce = async (trader: Trader, call: Caller, bankUserId: string): Promise<string | null> => {
  const order = { command: 'CREATE_TRADE', asset: 'BTC_USDC', direction: 'LONG', margin: '10', leverage: 2 }
  const opened = await trader.call('POST', '/api/v1/engine', order, keyed())
  if (opened.status !== 200) return `open: ${opened.status} ${String(opened.body['errorCode'])}`
  const close = { command: 'CLOSE_TRADE', tradeId: tradeIdOf(opened) }
  const closed = await trader.call('POST', '/api/v1/engine', close, keyed())
  if (closed.status !== 200) return `close: ${closed.status} ${String(closed.body['errorCode'])}`
  const bought = await call('POST', '/api/v1/trade/buy', { bankUserId, amount: '5.00', currency: 'AZN' }, keyed())
  return bought.status === 201 ? null : `buy: ${bought.status} ${String(bought.body['errorCode'])}`
}

/** Signs traders up, gives customers their first deposit and begins. */
export const startLoad = async (options: LoadOptions): Promise<Load> => {
  const { gatewayUrl, underWayMax = UNDER_WAY_MAX } = options
  const counts = createCounts()
  const call: Caller = (...args) => createCaller(gatewayUrl(), { 'x-api-key': options.bankKey })(...args)
  const customers = [...Array.from({ length: CUSTOMERS }, (_, who) => `drill-customer-${who}`), PROBED]
  await Promise.all(customers.map((customer) => insist('deposit', () => deposit(call, customer, keyed()), counts)))
  const traders: Trader[] = []
  for (let who = 0; who < TRADERS; who++) traders.push(await signUp(gatewayUrl(), counts))
  const probed = await signUp(gatewayUrl(), counts)
  const stops = [
    repeat(options.tradersPerSecond, underWayMax, counts, async (turn) => {
      if (turn % SIGN_UP_EVERY === SIGN_UP_EVERY - 1) traders[turn % TRADERS] = await signUp(gatewayUrl(), counts)
      const trader = traders[turn % TRADERS]
      if (trader !== undefined) await trade(trader, turn, counts)
    }),
    repeat(options.banksPerSecond, underWayMax, counts, (turn) =>
      bank(call, customers[turn % CUSTOMERS] ?? '', turn, counts),
    ),
  ]
  return {
    counts: counts.read,
    probe: async () => {
      for (const endMs = clock.monotonicMs() + PROBE_MS_MAX; ; await pause(1_000)) {
        const trouble = await probeOnce(probed, call, PROBED).catch((error: unknown) => String(error))
        if (trouble === null || clock.monotonicMs() > endMs) return trouble
      }
    },
    stop: async () => {
      counts.stopping.abort()
      await Promise.all(stops.map((stop) => stop()))
    },
  }
}
