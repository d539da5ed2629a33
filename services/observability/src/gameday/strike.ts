import { createServer, type Server } from 'node:net'
import { pause } from '../servers/program.ts'
import type { WatchedPlatform } from '../servers/watched-platform.ts'
import type { Heal } from './mode.ts'

type Programs = Pick<WatchedPlatform, 'programs' | 'portsOf'>

/** The process of a program that runs now. @throws when there is no such program */
export const pidOf = async (platform: Programs, name: string): Promise<number> => {
  const found = (await platform.programs()).find((program) => program.name === name)
  if (found === undefined) throw new Error(`the platform has no program ${name}`)
  return found.pid
}

const occupy = async (port: number): Promise<Server> => {
  for (let tries = 0; ; tries++) {
    const server = createServer((socket) => socket.destroy())
    const error = await new Promise<Error | null>((resolve) => {
      server.once('error', resolve)
      server.listen(port, '127.0.0.1', () => resolve(null))
    })
    if (error === null) return server
    // The system gives the port of a process that was killed back in a moment.
    if (tries >= 100) throw error
    await pause(5)
  }
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** SIGKILL to a program, again and again: whoever starts it anew finds its port taken, until healed. */
export const killForGood = async (platform: Programs, name: string): Promise<Heal> => {
  process.kill(await pidOf(platform, name), 'SIGKILL')
  const taken = await Promise.all(platform.portsOf(name).map(occupy))
  return async () => void (await Promise.all(taken.map(close)))
}

/** SIGKILL `times`, each time after it came back. */
export const killAgain = async (platform: Programs, name: string, times: number): Promise<void> => {
  let killed = 0
  for (let count = 0; count < times; count++) {
    let pid = await pidOf(platform, name)
    for (let looks = 0; pid === killed && looks < 300; looks++) {
      await pause(100)
      pid = await pidOf(platform, name)
    }
    if (pid === killed) throw new Error(`${name} did not come back`)
    // Seen by whoever watches it, before it goes again.
    if (count > 0) await pause(2_000)
    process.kill(pid, 'SIGKILL')
    killed = pid
  }
}

/** SIGSTOP to a program until healed. */
export const freeze = async (platform: Programs, name: string): Promise<Heal> => {
  const pid = await pidOf(platform, name)
  process.kill(pid, 'SIGSTOP')
  return () => {
    process.kill(pid, 'SIGCONT')
    return Promise.resolve()
  }
}

/** Takes a program the processor for `stopMs` of every `everyMs`, until healed. */
export const starve = async (platform: Programs, name: string, stopMs: number, everyMs: number): Promise<Heal> => {
  const pid = await pidOf(platform, name)
  let isOver = false
  const starving = (async () => {
    while (!isOver) {
      process.kill(pid, 'SIGSTOP')
      await pause(stopMs)
      process.kill(pid, 'SIGCONT')
      await pause(everyMs - stopMs)
    }
  })()
  return async () => {
    isOver = true
    await starving
  }
}
