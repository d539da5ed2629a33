import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

/** Below the range from which systems take the ports of outgoing connections: nobody takes one between two starts. */
const FIRST = 20_000
const COUNT = 10_000
const PAUSE_MS = 10

let next = randomInt(COUNT)

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/**
 * Keeps a port for this process while it lives, be it free or in use: the UDP port of the same number stands for it, which nobody
 * here uses. Tests of other processes look for ports at the same time.
 */
const isKept = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const holder = createSocket('udp4')
    holder.once('error', () => holder.close(() => resolve(false)))
    holder.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      holder.unref()
      resolve(true)
    })
  })

/** A TCP port of the loopback that is free and stays so, also while what listens there is stopped and started again. */
export const freePort = async (): Promise<number> => {
  for (let tried = 0; tried < COUNT; tried++) {
    const port = FIRST + next
    next = (next + 1) % COUNT
    if ((await isKept(port)) && (await isFree(port))) return port
  }
  throw new Error('no port is free')
}

/** Whether somebody listens there. */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const done = (isUp: boolean): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })

/** Resolves when a port is free: a program that was killed may hold it for a moment longer. */
export const whenFree = async (port: number, withinMs = 60_000): Promise<void> => {
  for (const endMs = performance.now() + withinMs; !(await isFree(port));) {
    if (performance.now() > endMs) throw new Error(`port ${port} is in use for longer than ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
