import type { Packing } from './producer.ts'
import { startWorker, type Worker } from './workers.ts'

/** How `programs/shards.ts` is started. */
export interface ShardsSettings {
  readonly brokerUrl: string
  readonly packing: Packing
  /** Shards in the one process. */
  readonly shards: number
  /** SQLite in the folder, which one process has to itself, or a MongoDB that any number share. */
  readonly journal: 'sqlite' | { readonly mongodb: string }
  /** Snapshots, and the SQLite journal. */
  readonly folder: string
  /** Capacities of the machine: the trading service's, or room for a run at full speed. */
  readonly room: 'service' | 'throughput'
}

/** What the journal was given: bytes are those of the records' bodies. */
export interface Written {
  records: number
  commands: number
  bytes: number
}

/** A process with shards in it. */
export interface Shards {
  prepare(shard: number): Promise<void>
  acquire(shard: number): Promise<void>
  release(shard: number): Promise<void>
  snapshot(shard: number): Promise<void>
  written(): Promise<Written>
  stop(): Promise<void>
}

/** Starts a process with shards; none of them serves yet. */
export const startShards = async (settings: ShardsSettings): Promise<Shards> => {
  const worker: Worker = await startWorker('shards', settings)
  return {
    prepare: (shard) => worker.ask('prepare', shard),
    acquire: (shard) => worker.ask('acquire', shard),
    release: (shard) => worker.ask('release', shard),
    snapshot: (shard) => worker.ask('snapshot', shard),
    written: () => worker.ask('written'),
    stop: worker.stop,
  }
}
