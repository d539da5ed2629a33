import createClient from 'openapi-fetch'
import type { FetchResponse, MaybeOptionalInit } from 'openapi-fetch'
import { createEngine, type Engine } from './engine.ts'
import { randomKey, scheduleByTimer, type Schedule } from './environment.ts'
import type { paths } from './generated/schema.ts'
import { BourseRefusal, refusalOfAnswer, unreachable, unreadable } from './refusal.ts'

/** What a client is made of. */
export interface BourseClientOptions {
  /** Where the API is: `https://bourse.example`; empty in a page that the platform itself serves. */
  readonly baseUrl: string
  /** Default: the environment's. In Node, where nobody keeps cookies, one that sends the session's. */
  readonly fetch?: (request: Request) => Promise<Response>
  /** The bank's key, asked for at each call; sent to everything but administration. */
  readonly apiKey?: () => string | null
  /** The administration token, asked for at each call; sent to administration only. */
  readonly adminToken?: () => string | null
  /** How long a call may take. Default 20 s: the API itself answers within 15. */
  readonly timeoutMs?: number
  /** Chance from 0 to 1 (jitter), keys and waiting; a test gives its own. */
  readonly random?: () => number
  readonly makeKey?: () => string
  readonly schedule?: Schedule
}

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch'

type MediaType = `${string}/${string}`

/** The paths of the document that have a method. */
type PathsWith<M extends Method> = {
  [Path in keyof paths]: paths[Path] extends { readonly [Name in M]: unknown } ? Path : never
}[keyof paths]

type RequiredKeysOf<Value> = {
  [Key in keyof Value]-?: Record<never, unknown> extends Pick<Value, Key> ? never : Key
}[keyof Value]

type Arguments<Init> =
  RequiredKeysOf<Init> extends never ? [(Init & { [key: string]: unknown })?] : [Init & { [key: string]: unknown }]

type DataOf<Operation, Init> =
  Operation extends Record<string | number, unknown>
    ? NonNullable<FetchResponse<Operation, Init, MediaType>['data']>
    : never

/** A typed call of the API's document: answers `data` and the response, or throws `BourseRefusal`. */
export type BourseCall<M extends Method> = <Path extends PathsWith<M>, Init extends MaybeOptionalInit<paths[Path], M>>(
  path: Path,
  ...init: Arguments<Init>
) => Promise<{ readonly data: DataOf<paths[Path][M], Init>; readonly response: Response }>

/** The API's calls by path, typed from its document, and the engine's commands by name. */
export interface BourseClient {
  readonly GET: BourseCall<'get'>
  readonly POST: BourseCall<'post'>
  readonly PUT: BourseCall<'put'>
  readonly DELETE: BourseCall<'delete'>
  readonly PATCH: BourseCall<'patch'>
  readonly engine: Engine
}

const TIMEOUT_MS = 20_000
const ADMINISTRATION = '/api/v1/admin/'

interface SentInit {
  readonly params?: { readonly header?: Readonly<Record<string, unknown>> }
  readonly headers?: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
}

const keyOf = (init: SentInit): string | null => {
  const key = init.params?.header?.['x-idempotency-key'] ?? init.headers?.['x-idempotency-key']
  return typeof key === 'string' ? key : null
}

/** The secrets of a call: whoever administrates is not told a bank's key, a bank's route not the token. */
const secretsFor = (path: string, { apiKey, adminToken }: BourseClientOptions): Record<string, string> => {
  if (path.startsWith(ADMINISTRATION)) {
    const token = adminToken?.() ?? null
    return token === null ? {} : { authorization: `Bearer ${token}` }
  }
  const key = apiKey?.() ?? null
  return key === null ? {} : { 'x-api-key': key }
}

/** What a fault is called: by name, because one of another realm (a frame, a test's) is no instance of this one's classes. */
const nameOf = (fault: unknown): unknown =>
  typeof fault === 'object' && fault !== null ? (fault as { readonly name?: unknown }).name : undefined

/** What went wrong with a call that threw: the caller's own end of it stays what it is. */
const refusalOfFault = (
  fault: unknown,
  call: {
    readonly init: SentInit
    readonly answer: Response | null
    readonly limit: AbortSignal
    readonly timeoutMs: number
  },
): unknown => {
  const { init, answer, limit, timeoutMs } = call
  if (init.signal?.aborted === true) return init.signal.reason
  const key = keyOf(init)
  if (limit.aborted) return unreachable(`no answer within ${timeoutMs} ms`, key, fault)
  if (nameOf(fault) === 'SyntaxError' && answer !== null)
    return unreadable({
      status: answer.status,
      requestId: answer.headers.get('x-request-id'),
      idempotencyKey: key,
      cause: fault,
    })
  // What fetch throws for every failure of the network (Fetch Standard, "HTTP-network fetch").
  if (nameOf(fault) === 'TypeError') return unreachable('the server cannot be reached', key, fault)
  return fault
}

type Sender = (method: Method, path: string, init: SentInit) => Promise<{ data: unknown; response: Response }>

const createSender = (options: BourseClientOptions): Sender => {
  const { baseUrl, timeoutMs = TIMEOUT_MS } = options
  const typed = createClient<paths>({ baseUrl })
  // The typed method wants the very path; here it is any of them, checked where the method is handed out.
  const request = typed.request as unknown as (
    method: Method,
    path: string,
    init: object,
  ) => Promise<FetchResponse<Record<number, unknown>, object, MediaType>>
  const fetchOf = options.fetch ?? ((sent: Request) => globalThis.fetch(sent))
  return async (method, path, init) => {
    let answer: Response | null = null
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const { data, error, response } = await request(method, path, {
        ...init,
        headers: { ...secretsFor(path, options), ...init.headers },
        signal: init.signal === undefined ? limit : AbortSignal.any([init.signal, limit]),
        fetch: async (sent: Request) => (answer = await fetchOf(sent)),
      })
      if (!response.ok) throw refusalOfAnswer(response, error, keyOf(init))
      return { data, response }
    } catch (fault) {
      throw fault instanceof BourseRefusal ? fault : refusalOfFault(fault, { init, answer, limit, timeoutMs })
    }
  }
}

/**
 * A client of the Bourse APIs. Every call that does not succeed throws `BourseRefusal`; a caller's own abort throws its
 * reason. Nothing is repeated but the engine's commands, whose key makes a repeat safe.
 */
export const createBourseClient = (options: BourseClientOptions): BourseClient => {
  const send = createSender(options)
  const call = <M extends Method>(method: M): BourseCall<M> =>
    ((path: string, init: SentInit = {}) => send(method, path, init)) as unknown as BourseCall<M>
  const { random = Math.random, makeKey = randomKey, schedule = scheduleByTimer } = options
  const post = call('post')
  return {
    GET: call('get'),
    POST: post,
    PUT: call('put'),
    DELETE: call('delete'),
    PATCH: call('patch'),
    engine: createEngine({
      send: (body, headers, signal) =>
        send('post', '/api/v1/engine', {
          body,
          headers,
          ...(signal === undefined ? {} : { signal }),
        } as SentInit),
      random,
      makeKey,
      schedule,
    }),
  }
}
