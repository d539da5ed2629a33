import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that listens. */
export interface Listening {
  /** `http://host:port`, with the port it got. */
  readonly url: string
  /** Takes no more connections and cuts those there are. Repeatable. */
  stop(): Promise<void>
}

/**
 * Lets a server of health, metrics or orders listen; port 0 is any free one.
 * @throws when the port can not be had
 */
export const listen = async (server: Server, host: string, port: number): Promise<Listening> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port: taken } = server.address() as AddressInfo
  let stopped: Promise<void> | null = null
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    stop: () => (stopped ??= stop()),
  }
}
