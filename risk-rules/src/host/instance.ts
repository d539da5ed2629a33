import { instantiateSync } from '@assemblyscript/loader'

/**
 * What every WASM machine exports beside its `init` (see `assembly/shared/io.ts`). Addresses are byte
 * offsets.
 */
export interface MachineExports extends Record<string, unknown> {
  /** Where the host writes commands (or one question). */
  readonly inputPtr: () => number
  /**
   * Applies `count` commands of the input buffer; answers how many it did before its outputs were full (at
   * least 1).
   */
  readonly apply: (count: number, now: bigint, behaviour: number) => number
  /** Gives the one command in the input buffer the outcome ENGINE_FAULT. */
  readonly refuse: (now: bigint, behaviour: number) => void
  /**
   * Outcomes back to back, after `apply` and `refuse`; also where answers, continuations and tables are
   * written.
   */
  readonly outcomesPtr: () => number
  readonly outcomesBytes: () => number
  /** `u32 target | u32 commandIndex | command`, back to back. */
  readonly effectsPtr: () => number
  readonly effectsBytes: () => number
  /**
   * Answers the question of `bytes` bytes in the input buffer: bytes of the answer at outcomesPtr, negative
   * when pending.
   */
  readonly query: (bytes: number) => number
  /** Writes the command that must come next at outcomesPtr; answers its bytes, 0 when there is none. */
  readonly continuationBytes: () => number
  /** The earliest due time in ms, negative when there is none. */
  readonly nextDeadline: () => bigint
  /** Writes `u32 ptr | u32 bytes` for each region of the used state at outcomesPtr; answers how many. */
  readonly snapshotParts: () => number
  /**
   * In a fresh instance: reads `u32 bytes` of each of `count` parts from the input buffer and writes where
   * each belongs, `u32 ptr` each, at outcomesPtr. Answers 1, or 0 when they do not fit.
   */
  readonly restoreBegin: (count: number) => number
  /**
   * Takes over the parts that were copied there, rebuilds the indexes. Answers 1, or 0 when they contradict
   * themselves.
   */
  readonly restoreEnd: () => number
  /** The state hash is computed by the first and read by both. */
  readonly stateHashHigh: () => bigint
  readonly stateHashLow: () => bigint
  readonly memory: WebAssembly.Memory
}

/** Makes a fresh instance. Modules import nothing but `env.abort`; an abort names its line and throws. */
export const instantiate = (module: WebAssembly.Module): MachineExports => {
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new WebAssembly.RuntimeError(`the machine gave up at line ${line >>> 0}, column ${column >>> 0}`)
  }
  const { exports } = instantiateSync<MachineExports>(module, { env: { abort } })
  return exports
}
