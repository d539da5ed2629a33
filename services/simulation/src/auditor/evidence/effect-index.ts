import { commandOrigins } from '@bourse/common/kernel/command.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Journals } from './journals.ts'

/** Where effects were journaled by their receivers. */
export interface EffectIndex {
  /**
   * Sequence of the receiver's record that holds the last of the effects that the sender's records through `sequence` sent
   * it: 0 when they sent none, null when one of them never arrived.
   */
  arrivedIn(sender: PartitionNumber, sequence: bigint, receiver: PartitionNumber): bigint | null
}

/** Indexes all effects between partitions. */
export const indexEffects = (journals: Journals): EffectIndex => {
  /** By sender and receiver: the sender's sequence of each effect, and the receiver's. */
  const sent = new Map<string, bigint[]>()
  const arrived = new Map<string, bigint[]>()
  const listOf = (map: Map<string, bigint[]>, key: string): bigint[] => {
    const list = map.get(key) ?? []
    map.set(key, list)
    return list
  }
  for (const [partition, records] of journals) {
    for (const { record, entries } of records) {
      for (const { receiver } of record.effects) listOf(sent, `${partition}>${receiver}`).push(record.sequence)
      for (const { header } of entries)
        if (header.origin === commandOrigins.partition)
          listOf(arrived, `${header.sender}>${partition}`).push(record.sequence)
    }
  }
  return {
    arrivedIn: (sender, sequence, receiver) => {
      const key = `${sender}>${receiver}`
      const count = (sent.get(key) ?? []).filter((at) => at <= sequence).length
      return count === 0 ? 0n : (arrived.get(key)?.[count - 1] ?? null)
    },
  }
}
