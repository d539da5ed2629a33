import type { Schedule } from './environment.ts'
import { BourseRefusal, clientCodes, unreadable } from './refusal.ts'
import type { Account, Balances, ClosedTrade, Direction, EngineCommand, OpenTrade, UsdBalance } from './shapes.ts'

/** How a command is given. */
export interface CommandOptions {
  /** Default: a new one. The same key never does anything twice, however often and late it is repeated. */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

/** What CREATE_TRADE takes; amounts and prices are decimal strings. */
export interface CreateTradeInput {
  readonly asset: string
  readonly direction: Direction
  readonly margin: string
  /** A whole number from 1. */
  readonly leverage: number
  readonly stopLossPrice?: string | null
  readonly takeProfitPrice?: string | null
  /** The worst price to open at; beyond it the command is refused PRICE_MOVED. */
  readonly worstPrice?: string | null
}

/** What CLOSE_TRADE takes. */
export interface CloseTradeInput {
  readonly tradeId: string
  readonly worstPrice?: string | null
}

/** What UPDATE_TRADE takes: a price left out stays as it is, null takes it away. */
export interface UpdateTradeInput {
  readonly tradeId: string
  readonly stopLossPrice?: string | null
  readonly takeProfitPrice?: string | null
}

/**
 * The engine's commands. Each carries an idempotency key that it keeps over its own repeats: a lost answer is asked for
 * again with the same key, a bounded number of times, so that no command is ever done twice. When no repeat was answered
 * either, the refusal says so (`isUnknown`) and names the key to go on with.
 */
export interface Engine {
  createAccount(options?: CommandOptions): Promise<Account>
  balance(options?: Pick<CommandOptions, 'signal'>): Promise<Balances>
  usdBalance(options?: Pick<CommandOptions, 'signal'>): Promise<UsdBalance>
  createTrade(input: CreateTradeInput, options?: CommandOptions): Promise<OpenTrade>
  closeTrade(input: CloseTradeInput, options?: CommandOptions): Promise<ClosedTrade>
  updateTrade(input: UpdateTradeInput, options?: CommandOptions): Promise<OpenTrade>
}

/** What the commands are sent with. */
export interface EngineDeps {
  /** Sends a body to the engine's route; throws `BourseRefusal`. */
  readonly send: (
    body: EngineCommand,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly data: unknown; readonly response: Response }>
  readonly random: () => number
  readonly makeKey: () => string
  readonly schedule: Schedule
}

/** One try and three repeats. */
const ATTEMPTS_MAX = 4
const FIRST_WAIT_MS = 250
const WAIT_MS_MAX = 5_000

/** Refusals after which nobody knows whether the command was done: with its key it may be sent again. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'UNREADABLE',
  'UNAVAILABLE',
  'INTERNAL_ERROR',
  'REQUEST_TIMEOUT',
])

/** These refuse the question, whatever was asked: nothing is recorded under the key. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'INTERNAL_ERROR',
  'REQUEST_TIMEOUT',
])

/** A refusal of a repeat that says nothing about the attempts before it, of which nobody knows what they did. */
const stillUnknown = (error: BourseRefusal): BourseRefusal =>
  new BourseRefusal({
    status: error.status,
    code: clientCodes.UNREACHABLE,
    message: `whether it was done is not known, and asking again was refused: ${error.code}, ${error.message}`,
    retryAfterSeconds: error.retryAfterSeconds,
    requestId: error.requestId,
    idempotencyKey: error.idempotencyKey,
    cause: error,
  })

/** Before repeat 1, 2, 3: twice as long each time, between half and all of it; what the server asks for if that is more. */
const waitMsBefore = (repeat: number, { retryAfterSeconds }: BourseRefusal, random: () => number): number => {
  const most = FIRST_WAIT_MS * 2 ** (repeat - 1)
  return Math.min(WAIT_MS_MAX, Math.max(most * (1 + random()) * 0.5, (retryAfterSeconds ?? 0) * 1_000))
}

/** Ends early when the signal does, with the caller's own reason. */
const wait = async (schedule: Schedule, delayMs: number, signal: AbortSignal | undefined): Promise<void> => {
  await new Promise<void>((resolve) => {
    const stopped = (): void => {
      cancel()
      resolve()
    }
    const cancel = schedule(delayMs, () => {
      signal?.removeEventListener('abort', stopped)
      resolve()
    })
    signal?.addEventListener('abort', stopped, { once: true })
    if (signal?.aborted === true) stopped()
  })
  signal?.throwIfAborted()
}

interface Envelope {
  readonly success: true
  readonly engineResponse: { readonly data: unknown }
}

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' &&
  value !== null &&
  (value as Partial<Envelope>).success === true &&
  typeof (value as Partial<Envelope>).engineResponse === 'object' &&
  (value as Partial<Envelope>).engineResponse !== null

/** The commands over a sender. */
export const createEngine = ({ send, random, makeKey, schedule }: EngineDeps): Engine => {
  const once = async (body: EngineCommand, key: string | null, signal: AbortSignal | undefined): Promise<unknown> => {
    const headers: Record<string, string> = key === null ? {} : { 'x-idempotency-key': key }
    const { data, response } = await send(body, headers, signal)
    if (isEnvelope(data)) return data.engineResponse.data
    const requestId = response.headers.get('x-request-id')
    throw unreadable({ status: response.status, requestId, idempotencyKey: key })
  }

  const keyed = async <Data>(body: EngineCommand, { idempotencyKey, signal }: CommandOptions = {}): Promise<Data> => {
    const key = idempotencyKey ?? makeKey()
    let isDoubtful = false
    for (let attempt = 1; ; attempt++) {
      try {
        return (await once(body, key, signal)) as Data
      } catch (error) {
        if (!(error instanceof BourseRefusal)) throw error
        if (!REPEATABLE.has(error.code) || attempt === ATTEMPTS_MAX)
          throw isDoubtful && SAYS_NOTHING.has(error.code) ? stillUnknown(error) : error
        // What is sent again is in doubt, UNAVAILABLE too: a part of the platform that did not answer in time may have done it.
        isDoubtful = true
        await wait(schedule, waitMsBefore(attempt, error, random), signal)
      }
    }
  }

  return {
    createAccount: (options) => keyed({ command: 'CREATE_ACCOUNT' }, options),
    balance: async (options) => (await once({ command: 'GET_BALANCE' }, null, options?.signal)) as Balances,
    usdBalance: async (options) => (await once({ command: 'GET_USD_BALANCE' }, null, options?.signal)) as UsdBalance,
    createTrade: (input, options) => keyed({ command: 'CREATE_TRADE', ...input }, options),
    closeTrade: (input, options) => keyed({ command: 'CLOSE_TRADE', ...input }, options),
    updateTrade: (input, options) => keyed({ command: 'UPDATE_TRADE', ...input }, options),
  }
}
