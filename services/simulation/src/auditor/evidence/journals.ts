import { decodeHeader, type CommandHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { GENESIS_HASH, verifyRecord, type JournalRecord } from '@bourse/common/kernel/record.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Complain } from '../findings.ts'
import { hex, NO_ID_HEX } from './bytes.ts'

/** One input of a record with its outcome. */
export interface Entry {
  readonly header: CommandHeader
  /** The header's id in hex; null when it has none. */
  readonly id: string | null
  readonly input: Uint8Array
  readonly outcome: Uint8Array
  /** Number of the outcome's code. */
  readonly code: number
  readonly wasFaulted: boolean
  readonly now: bigint
  readonly sequence: bigint
  readonly partition: PartitionNumber
}

/** A record as the auditor reads it: decoded once, for all statements. */
export interface AuditedRecord {
  readonly record: JournalRecord
  readonly hash: Uint8Array
  readonly entries: readonly Entry[]
}

/** The journals of all partitions, by partition; each from its first record on. */
export type Journals = ReadonlyMap<PartitionNumber, readonly AuditedRecord[]>

const entriesOf = (record: JournalRecord): readonly Entry[] => {
  const faulted = new Set(record.faulted)
  return record.inputs.map((input, index) => {
    const header = decodeHeader(input)
    const outcome = record.outcomes[index] ?? new Uint8Array(24)
    const id = hex(header.id)
    return {
      header,
      id: id === NO_ID_HEX ? null : id,
      input,
      outcome,
      code: decodeOutcomeHeader(outcome).code,
      wasFaulted: faulted.has(index),
      now: record.now,
      sequence: record.sequence,
      partition: record.partition,
    }
  })
}

/**
 * Reads and decodes all journals, archived records included. A record that is not what it claims to be is a finding of
 * `hash-chain` and ends its partition's journal here.
 */
export const readJournals = async (
  journal: Journal,
  partitions: readonly PartitionNumber[],
  complain: Complain,
): Promise<Journals> => {
  const journals = new Map<PartitionNumber, AuditedRecord[]>()
  for (const partition of new Set([...partitions, ...(await journal.partitions())])) {
    const records: AuditedRecord[] = []
    journals.set(partition, records)
    if (!partitions.includes(partition))
      complain('hash-chain', `there is a journal of ${partitionName(partition)}, which is no partition of the platform`)
    let previousHash: Uint8Array = GENESIS_HASH
    let now = 0n
    try {
      for await (const stored of journal.readFrom(partition, 1n)) {
        const sequence = BigInt(records.length + 1)
        const record = verifyRecord(stored, { partition, sequence, previousHash })
        if (record.now < now)
          complain('hash-chain', `time goes back at record ${sequence} of ${partitionName(partition)}`)
        previousHash = stored.hash
        now = record.now
        records.push({ record, hash: stored.hash, entries: entriesOf(record) })
      }
    } catch (error) {
      // Whatever can't be read is a journal that can't be trusted: that is what is said.
      complain('hash-chain', error instanceof Error ? error.message : String(error))
    }
  }
  return journals
}
