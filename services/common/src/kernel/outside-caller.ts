import { commandOrigins, isCommand } from './command.ts'
import type { MachineHost } from './host.ts'
import { OUTSIDE_RECEIVER, type NumberedEffect } from './record.ts'

/** Calls to the outside that run at a time in one partition; the rest wait in order. */
export const OUTSIDE_CALLS_RUNNING_MAX = 256

/** Runs the outside calls of a partition and brings their answers back as commands. */
export interface OutsideCaller {
  /** Starts the calls of a record that was just appended. */
  release(effects: readonly NumberedEffect[]): void
  /** Takes up calls that a former owner or run may have made: they are asked for before they are repeated. */
  resume(calls: ReadonlyMap<bigint, Uint8Array>): void
  running(): number
  stop(): void
}

/**
 * Makes a caller. `onAnswer` puts the answer in the partition's order; `onBroken` hears of a host that rejects
 * unaborted.
 */
export const createOutsideCaller = (deps: {
  readonly host: MachineHost<never>
  readonly onAnswer: (command: Uint8Array) => void
  readonly onBroken: (error: unknown) => void
}): OutsideCaller => {
  const abort = new AbortController()
  const waiting: { number: bigint; bytes: Uint8Array; maybeSent: boolean }[] = []
  let running = 0

  const stamped = (answer: Uint8Array, number: bigint): Uint8Array => {
    // Nothing that is no command may reach the journal: its record could not be read again.
    if (!isCommand(answer)) throw new Error(`the answer to call ${number} is not a command`)
    const bytes = answer.slice()
    const view = new DataView(bytes.buffer)
    view.setUint8(6, commandOrigins.outside)
    view.setBigUint64(48, number, true)
    return bytes
  }

  const runOne = async (call: { number: bigint; bytes: Uint8Array; maybeSent: boolean }): Promise<void> => {
    const execute = deps.host.execute
    if (execute === undefined) throw new Error('a machine without an outside made an outside call')
    const answer = await execute({
      sequence: call.number,
      bytes: call.bytes,
      maybeSent: call.maybeSent,
      signal: abort.signal,
    })
    if (!abort.signal.aborted) deps.onAnswer(stamped(answer, call.number))
  }

  const pump = (): void => {
    while (!abort.signal.aborted && running < OUTSIDE_CALLS_RUNNING_MAX && waiting.length > 0) {
      const call = waiting.shift()!
      running += 1
      runOne(call)
        .catch((error: unknown) => {
          if (!abort.signal.aborted) deps.onBroken(error)
        })
        .finally(() => {
          running -= 1
          pump()
        })
    }
  }

  return {
    release: (effects) => {
      for (const effect of effects) {
        if (effect.receiver === OUTSIDE_RECEIVER)
          waiting.push({ number: effect.number, bytes: effect.bytes, maybeSent: false })
      }
      pump()
    },
    resume: (calls) => {
      for (const [number, bytes] of [...calls].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
        waiting.push({ number, bytes, maybeSent: true })
      }
      pump()
    },
    running: () => running + waiting.length,
    stop: () => abort.abort(),
  }
}
