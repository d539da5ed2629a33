import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot } from '../../tooling/paths.mjs'

interface Ended {
  readonly code: number | null
  readonly output: string
}

const tool = (name: string): string => pathToFileURL(inRoot('services/common/tooling', name)).href

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bourse-setup-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const start = (source: string): ChildProcess =>
  spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] })

/** Resolves when the process ended; `onOutput` sees its output so far. */
const watch = (child: ChildProcess, onOutput: (output: string) => void = () => undefined): Promise<Ended> =>
  new Promise((resolve) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => onOutput((output += chunk.toString())))
    child.once('close', (code) => resolve({ code, output }))
  })

describe('a child process', () => {
  /** `meanwhile` is run once the child was started. */
  const parentOf = (childSource: string, meanwhile = ''): string => `
    import { runChild } from '${tool('child.mjs')}'
    const running = runChild(process.execPath, ['--eval', ${JSON.stringify(childSource)}])
    ${meanwhile}
    const { code, interrupted } = await running
    process.stdout.write('interrupted ' + interrupted)
    process.exitCode = code
  `

  test('hands back its exit code', async () => {
    const { code, output } = await watch(start(parentOf('process.exit(7)')))
    expect({ code, output }).toEqual({ code: 7, output: 'interrupted undefined' })
  })

  test('ended by a signal gives 128 and the number of the signal', async () => {
    expect((await watch(start(parentOf("process.kill(process.pid, 'SIGKILL')")))).code).toBe(137)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('is sent %s once, however often it comes', async (signal) => {
    const over = join(folder, `over-${signal}`)
    // It leaves 300 ms after it is told: what was passed on to it has arrived by then.
    const childSource = `
      process.on('${signal}', () => process.stdout.write('caught '))
      const look = setInterval(() => {
        if (!require('node:fs').existsSync(${JSON.stringify(over)})) return
        clearInterval(look)
        setTimeout(() => process.exit(3), 300)
      }, 20)
      process.stdout.write('ready ')
    `
    const parent = start(parentOf(childSource, `process.on('${signal}', () => process.stdout.write('heard '))`))
    let sent = 0
    const { code, output } = await watch(parent, (text) => {
      const count = (word: string): number => text.split(`${word} `).length - 1
      if (count('heard') === 2) return writeFileSync(over, '')
      if (count('ready') < 1 || count('heard') < sent || count('caught') < sent) return
      sent += 1
      parent.kill(signal)
    })
    const words = ['ready', 'heard', 'heard', 'caught', 'interrupted', signal]
    expect({ code, words: output.split(' ').toSorted() }).toEqual({ code: 3, words: words.toSorted() })
  })
})

describe('the setup lock', () => {
  /** Takes the lock, writes `in`, holds it, writes `out`. Interleaved output shows two holders at once. */
  const holder = (path: string, log: string, holdMs: number): string => `
    import { appendFileSync } from 'node:fs'
    import { withLock } from '${tool('setup-lock.mjs')}'
    await withLock({ path: ${JSON.stringify(path)} }, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ')
      await new Promise((resolve) => setTimeout(resolve, ${holdMs}))
      appendFileSync(${JSON.stringify(log)}, 'out ')
    })
  `

  test('lets one process in at a time and is gone afterwards', async () => {
    const [path, log] = [join(folder, 'one.lock'), join(folder, 'one.log')]
    const ends = await Promise.all([1, 2, 3, 4].map(() => watch(start(holder(path, log, 150)))))
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out in out ')
    expect(existsSync(path)).toBe(false)
  })

  test('left by a process that died is taken over, by one of those who wait', async () => {
    const [path, log] = [join(folder, 'dead.lock'), join(folder, 'dead.log')]
    const dead = start('')
    await watch(dead)
    writeFileSync(path, `${hostname()} ${dead.pid} 0`)
    await Promise.all([1, 2, 3].map(() => watch(start(holder(path, log, 50)))))
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ')
  })

  test('of a living process is respected', async () => {
    const [path, log] = [join(folder, 'living.lock'), join(folder, 'living.log')]
    writeFileSync(path, `${hostname()} ${process.pid} 0`)
    const waiting = start(holder(path, log, 0))
    const ended = watch(waiting)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(existsSync(log)).toBe(false)
    rmSync(path)
    expect((await ended).code).toBe(0)
    expect(readFileSync(log, 'utf8')).toBe('in out ')
  })
})

test('a script that does not exist is refused with the list of those that do', async () => {
  const args = [inRoot('services/common/tooling/run.mjs'), 'nonsense']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const { code } = await watch(child)
  expect(code).toBe(2)
  expect(words).toContain('start|demo|replay|verify|backup|restore|dlq|start:distributed|simulate|simulate:mutants|')
  expect(words).toContain('|queries|inspect|trace|load|bench|gameday|')
  expect(words).toContain('|test|test:integration|test:browser|test:cluster|lint|typecheck')
})
