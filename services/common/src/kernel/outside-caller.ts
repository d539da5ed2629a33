import { commandOrigins, isCommand } from './command.ts'
import type { TraceContext, Tracer } from '../ports/tracing.ts'
import type { ContextOfEffect } from './effect-sender.ts'
import type { MachineHost } from './host.ts'
import { OUTSIDE_RECEIVER, type NumberedEffect } from './record.ts'

/** Calls to the outside that run at a time in one partition; the rest wait in order. */
export const OUTSIDE_CALLS_RUNNING_MAX = 256

/** Runs the outside calls of a partition and brings their answers back as commands. */
export interface OutsideCaller {
  /** Starts the calls of a record that was just appended. */
  release(effects: readonly NumberedEffect[], contextOf?: ContextOfEffect): void
  /** Takes up calls that a former owner or run may have made: they are asked for before they are repeated. */
  resume(calls: ReadonlyMap<bigint, Uint8Array>): void
  running(): number
  stop(): void
}

interface WaitingCall {
  readonly number: bigint
  readonly bytes: Uint8Array
  readonly maybeSent: boolean
  /** Kept with the call only: one that is taken up after a restart belongs to no trace any more. */
  readonly context: TraceContext | undefined
}

/**
 * Makes a caller. `onAnswer` puts the answer in the partition's order; `onBroken` hears of a host that rejects
 * unaborted.
 */
export const createOutsideCaller = (deps: {
  readonly host: MachineHost<never>
  readonly onAnswer: (command: Uint8Array, context: TraceContext | undefined) => void
  readonly onBroken: (error: unknown) => void
  readonly tracer?: Tracer | undefined
}): OutsideCaller => {
  const abort = new AbortController()
  const waiting: WaitingCall[] = []
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

  const runOne = async ({ number, bytes, maybeSent, context }: WaitingCall): Promise<void> => {
    const execute = deps.host.execute
    if (execute === undefined) throw new Error('a machine without an outside made an outside call')
    const call = { sequence: number, bytes, maybeSent, signal: abort.signal }
    const isTraced = context !== undefined && deps.tracer !== undefined
    const answer = await (isTraced ? deps.tracer.within(context, () => execute(call)) : execute(call))
    if (!abort.signal.aborted) deps.onAnswer(stamped(answer, number), context)
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
    release: (effects, contextOf) => {
      for (let index = 0; index < effects.length; index++) {
        const { receiver, number, bytes } = effects[index]!
        if (receiver === OUTSIDE_RECEIVER)
          waiting.push({ number, bytes, maybeSent: false, context: contextOf?.(index) })
      }
      pump()
    },
    resume: (calls) => {
      for (const [number, bytes] of [...calls].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
        waiting.push({ number, bytes, maybeSent: true, context: undefined })
      }
      pump()
    },
    running: () => running + waiting.length,
    stop: () => abort.abort(),
  }
}
