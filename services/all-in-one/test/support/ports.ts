import { createServer } from 'node:net'

/** Below the range from which systems take the ports of outgoing connections: nobody takes one between two starts. */
const FIRST = 20_000
const COUNT = 12_000

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

let next = (process.pid * 97) % COUNT

/** A port that is free now and stays so while a test restarts its platform on it. */
export const freePort = async (): Promise<number> => {
  for (let tried = 0; tried < COUNT; tried++) {
    const port = FIRST + next
    next = (next + 1) % COUNT
    if (await isFree(port)) return port
  }
  throw new Error('no port is free')
}
