import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A price that a test sets; the platform polls it. */
export interface Ticker {
  readonly url: string
  /** Bid and ask from now on; null: it answers errors, so that the price grows old. */
  set(price: string | null): void
  stop(): Promise<void>
}

/** Serves a ticker at a price. */
export const startTicker = async (first: string): Promise<Ticker> => {
  let price: string | null = first
  const server = createServer((_request, response) => {
    response.writeHead(price === null ? 503 : 200, { 'content-type': 'application/json' })
    response.end(price === null ? '{}' : JSON.stringify({ bid: price, ask: price }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    set: (next) => void (price = next),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
