/**
 * One child process with this process's fate tied to it. Runs on Node 20.
 *
 * Signals: SIGTERM, SIGINT and SIGHUP are passed on, each at most once. A terminal sends Ctrl-C to the whole
 * foreground group, so with a terminal on stdin the child already has its SIGINT and a second one, which many
 * programs read as "stop at once", is not sent.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP']

/** The exit code a shell gives to a process that a signal ended. */
export const codeOfSignal = (signal) => 128 + (constants.signals[signal] ?? 0)

const heldBy = (signal) => signal === 'SIGINT' && process.stdin.isTTY === true

/**
 * Runs `command` to its end. Resolves `{ code, interrupted }`: code is the child's exit code (128 + n when a
 * signal ended it); interrupted is the signal this process was sent meanwhile, or undefined. Rejects when the
 * program cannot be started.
 */
export const runChild = (command, args, { stdio = 'inherit', cwd, env } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio, cwd, env: env ?? process.env })
    const sent = new Set()
    const handlers = SIGNALS.map((signal) => {
      const forward = () => {
        if (sent.has(signal)) return
        sent.add(signal)
        if (!heldBy(signal)) child.kill(signal)
      }
      process.on(signal, forward)
      return [signal, forward]
    })
    const detach = () => handlers.forEach(([signal, forward]) => process.off(signal, forward))
    child.once('error', (error) => {
      detach()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      detach()
      resolve({ code: signal === null ? (code ?? 1) : codeOfSignal(signal), interrupted: [...sent][0] })
    })
  })
