import { createHash } from 'node:crypto'
import { Schema } from 'mongoose'
import { partitionNumber } from '../../src/kernel/partition.ts'
import type { StoredRecord } from '../../src/ports/journal.ts'
import type { ViewModel } from '../../src/ports/views.ts'

/* What the crash tests write is computed from its place, so that parent and child need not speak about it. */

/** One partition of each machine. */
export const PARTITIONS: readonly number[] = [
  partitionNumber('ledger', 0),
  partitionNumber('trading', 1, 2),
  partitionNumber('bridge', 0),
]

const bytesAt = (name: string, length: number): Uint8Array => {
  const seed = createHash('sha256').update(name).digest()
  const bytes = new Uint8Array(length)
  // Plainly: a child that runs ahead while its parent stands still makes hundreds of these, and all are compared.
  for (let index = 0; index < length; index++) bytes[index] = seed[index % seed.length]! ^ (index & 0xff)
  return bytes
}

/** The record of a place. */
export const recordAt = (partition: number, sequence: bigint): StoredRecord => {
  const body = bytesAt(`${partition}/${sequence}`, 300 + Number(sequence % 7n) * 900)
  return { sequence, body, hash: Uint8Array.from(createHash('sha256').update(body).digest()) }
}

/** The snapshot of a sequence: large enough that a kill lands within its writing. */
export const snapshotAt = (sequence: bigint): Uint8Array => bytesAt(`snapshot ${sequence}`, 2_000_000)

/** A small view. */
export const crashModel: ViewModel<{ readonly _id: string; readonly sequence: bigint }> = {
  name: 'crashes',
  schema: new Schema({ _id: { type: String, required: true }, sequence: { type: BigInt, index: true } }),
}
