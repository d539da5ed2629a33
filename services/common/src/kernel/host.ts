import type { Machine, MachineFactory } from './machine.ts'

/** A call to the outside that the machine decided on; its answer returns as a command. */
export interface OutsideCall {
  /** Number of the call in its partition, rising; the same after a restart. */
  readonly sequence: bigint
  /** What the machine wrote: the adapter decodes it. */
  readonly bytes: Uint8Array
  /** True when it may have been executed before (a restart, a takeover): the adapter asks before it repeats. */
  readonly maybeSent: boolean
  /** Aborted when this partition is no longer ours; the call's answer is then of no use. */
  readonly signal: AbortSignal
}

/** What the runner needs around a machine: everything that touches the world. */
export interface MachineHost<Observation = never> {
  readonly factory: MachineFactory
  /**
   * Fills a client's or another partition's command with inputs from outside (the latest quote, a ticker) before it is
   * ordered. A host
   * that asks the world looks first whether the machine knows the id already. Synchronous results keep the order of
   * arrival; only a
   * client's command may wait for a promise.
   */
  resolve?(command: Uint8Array, machine: Machine): Uint8Array | Promise<Uint8Array>
  /**
   * Takes notice of an observation in its place among the commands; gives the command to order, or null when it changes
   * nothing.
   */
  observe?(observation: Observation, machine: Machine): Uint8Array | null
  /**
   * Makes the command for a deadline of the state that has come, filled with inputs from outside; null when these are
   * not there
   * yet (it is asked again). Without this the runner orders the plain `time` command.
   */
  due?(machine: Machine): Uint8Array | null
  /**
   * Executes a call and gives the answer as a command body's bytes with header (origin and sequence are set by the
   * kernel).
   * It retries by itself; it rejects only when aborted.
   */
  execute?(call: OutsideCall): Promise<Uint8Array>
}
