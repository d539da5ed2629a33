import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import type { NetworkAnswer, NetworkHandler } from './ground.ts'
import { callOf, type Process } from './process.ts'
import type { Travel } from './travel.ts'

/** The network between the processes and what stands outside. */
export interface Network {
  open(process: Process): typeof fetch
  listen(host: string, handler: NetworkHandler): void
}

/** How late an order arrives whose connection was cut, ms: also later than the exchange may take it. */
const LATE_MS_MAX = 6_000

type Exchange = Parameters<NetworkHandler>[0]

const failed = (reason: string): TypeError => new TypeError('fetch failed', { cause: new Error(reason) })

const textEncoder = new TextEncoder()

/** As much of a Response as callers read: the real one's body streams through tasks of the real event loop. */
const responseOf = ({ status, text }: NetworkAnswer): Response => {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    await Promise.resolve()
    if (text !== '') yield textEncoder.encode(text)
  }
  const response = {
    status,
    ok: status >= 200 && status < 300,
    headers: new Headers({ 'content-type': 'application/json' }),
    body: body(),
    text: () => Promise.resolve(text),
    json: async (): Promise<unknown> => JSON.parse(text) as unknown,
  }
  return response as unknown as Response
}

const exchangeOf = (url: URL, init: RequestInit): Exchange => {
  if (init.body !== undefined && init.body !== null && typeof init.body !== 'string')
    throw new TypeError('the simulated network carries bodies of text')
  return {
    method: init.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(new Headers(init.headers)),
    body: init.body ?? '',
  }
}

/**
 * Makes the network of a world: a call travels, is executed there at one moment, and its answer travels back. A caller that
 * gives up or dies changes nothing of what was done.
 */
export const createNetwork = (deps: {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
}): Network => {
  const { world, faults, travel } = deps
  const handlers = new Map<string, NetworkHandler>()
  const random = world.chance('network')

  const carry = (
    host: string,
    exchange: Exchange,
    resolve: (response: Response) => void,
    reject: (error: Error) => void,
  ): void => {
    const what = `${exchange.method} ${host}${exchange.path}`
    // A link that is cut loses the request or its answer.
    const cut = faults.strikes('link-cut') ? random.pick(['request', 'answer']) : null
    const fail = (delayMs: number, reason: string): void => {
      world.schedule(delayMs, `${what} fails`, () => reject(failed(reason)))
    }
    if (exchange.method === 'POST' && exchange.path === '/order' && faults.strikes('order-late')) {
      fail(random.between(1, 500), 'the connection was cut')
      return void world.schedule(random.between(100, LATE_MS_MAX), `${what} late`, () => {
        handlers.get(host)?.(exchange)
      })
    }
    world.schedule(travel.message(), what, () => {
      const handler = handlers.get(host)
      if (handler === undefined) return fail(1, `nobody listens at ${host}`)
      if (cut === 'request') return fail(random.between(1, 2_000), 'the connection was cut')
      const { answer, delayMs } = handler(exchange)
      if (answer === null) return world.trace.note(`${what} hangs`)
      world.trace.note(`${what} ${answer === 'cut' ? 'cut' : `${answer.status} ${answer.text}`}`)
      if (answer === 'cut' || cut === 'answer') return fail(delayMs + travel.message(), 'the connection was cut')
      world.schedule(delayMs + travel.message(), `${what} answered`, () => {
        resolve(responseOf(answer))
      })
    })
  }

  return {
    open: (process) => (input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input))
      const signal = init?.signal ?? null
      const exchange = exchangeOf(url, init ?? {})
      return new Promise<Response>((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error)
        const onAbort = (): void => reject(signal!.reason as Error)
        signal?.addEventListener('abort', onAbort, { once: true })
        const call = callOf<Response>(process, (answer, fail) => carry(url.host, exchange, answer, fail))
        call.finally(() => signal?.removeEventListener('abort', onAbort)).then(resolve, reject)
      })
    },
    listen: (host, handler) => void handlers.set(host, handler),
  }
}
