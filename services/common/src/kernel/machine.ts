import type { PartitionNumber } from './partition.ts'

/** Target of an effect that leaves the platform (an exchange, a bank). */
export const OUTSIDE: unique symbol = Symbol('outside')

/**
 * What a machine decided that others must hear of. To a partition it is a command (header `origin`, `sender` and
 * `sequence` are filled by the kernel); to the outside it is a call that an adapter executes, whose answer
 * returns as a command of origin `outside` with the `sequence` the kernel gave the call.
 */
export interface Effect {
  readonly to: PartitionNumber | typeof OUTSIDE
  readonly bytes: Uint8Array
  /** Which command of the batch caused it. */
  readonly commandIndex: number
}

/** The result of a batch: one outcome for each command, in order, and the effects in the order they arose. */
export interface Applied {
  readonly outcomes: readonly Uint8Array[]
  readonly effects: readonly Effect[]
  /** Ids (16 bytes) whose parked reads may have an answer now. May be collected on being asked: ask once. */
  readonly settledIds: readonly Uint8Array[]
}

/**
 * A deterministic state machine with one writer. Promises:
 *
 * M1 same commands, same `now`, same behaviour version → same outcomes, effects, state hash on every machine.
 * M2 no clock, no random, no I/O, no await: everything from outside is in the command.
 * M3 a refusal leaves the state as it was, but for the remembered id.
 * M4 a command whose id is known answers the first outcome again (same request hash) or IDEMPOTENCY_CONFLICT; it is not
 *    executed.
 * M5 `restore(snapshot())` gives the same state hash and the same future.
 * M6 bytes that are not a command of this machine are refused (`INVALID_COMMAND`), they never trap.
 * M7 after a throw (a trap) the instance is worthless; the kernel discards it.
 */
export interface Machine {
  /** Version of the snapshot layout; an unknown one is refused by `restore`. */
  readonly schemaVersion: number
  /** Newest behaviour version this machine knows. */
  readonly behaviourVersion: number
  /**
   * Applies a batch in order. `now` is in milliseconds and never goes back.
   * `refused` lists indexes of commands that trapped twice: they get the outcome ENGINE_FAULT and the effects
   * that release what they hold, and are remembered under their id.
   */
  apply(batch: readonly Uint8Array[], now: bigint, behaviour: number, refused?: ReadonlySet<number>): Applied
  /** A command that must come before any other (the rest of a tick that closes very many trades), or null. */
  continuation(): Uint8Array | null
  /** The earliest moment (ms) at which a `time` command is due, or null. */
  nextDeadline(): bigint | null
  /** Answers a question from state alone. Never changes state; garbage gets an INVALID_COMMAND outcome. */
  query(question: Uint8Array): QueryAnswer
  /** Complete state as bytes. */
  snapshot(): Uint8Array
  /** Replaces the state. Throws on bytes that are not a snapshot of a known schema version. */
  restore(bytes: Uint8Array): void
  /** As `restore` of the pieces put together, for a machine that needs them only one after the other. */
  restorePieces?(pieces: readonly Uint8Array[]): void
  /** 32 lower-case hex characters over all state. */
  stateHash(): string
  /** Bytes of memory that are the machine's alone; left out by one that shares its process's heap. */
  memoryBytes?(): number
}

/** The answer to a query; `pending` means the asker may wait for the id to be settled. */
export interface QueryAnswer {
  readonly bytes: Uint8Array
  readonly pending: boolean
  /** For a pending answer: the id (16 bytes) whose settling should wake the read. */
  readonly wakeId?: Uint8Array
}

/** Makes empty machines; called again whenever a state is discarded. */
export type MachineFactory = () => Machine
