import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { partitionName, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { emptyState, replayRecord, type PartitionState } from '@bourse/common/kernel/partition-state.ts'
import { restoreSnapshot, stateHashOf } from '@bourse/common/kernel/snapshot-codec.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import {
  accountsQuestion,
  decodeAccounts,
  decodeHolds,
  holdsQuestion,
  PAGE_LIMIT_MAX,
} from '@bourse/risk-rules/ledger/queries.ts'
import { same, hex } from '../evidence/bytes.ts'
import { accountName, holdName } from '../evidence/instruction.ts'
import type { AuditedRecord, Journals } from '../evidence/journals.ts'
import type { Complain } from '../findings.ts'
import type { LedgerBook } from '../model/ledger/book.ts'

/** What replaying needs. */
export interface ReplayDeps {
  readonly journals: Journals
  readonly snapshots: Snapshots
  readonly factoryOf: (partition: PartitionNumber) => MachineFactory
  /** What the serving runner says of its state; null when nobody serves the partition. */
  readonly stateHash: (partition: PartitionNumber) => Promise<string | null>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Applies records to a state; false when one does not come out as journaled. */
const replay = (state: PartitionState, records: readonly AuditedRecord[], until: bigint): string | null => {
  try {
    for (let index = Number(state.sequence); index < records.length && state.sequence < until; index++) {
      const { record, hash } = records[index]!
      replayRecord(state, record, hash)
    }
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/**
 * Snapshots of a partition, oldest first, restored; one that was damaged is left out (recovery falls back to the one
 * before it).
 */
const restoreAll = async (
  deps: ReplayDeps,
  partition: PartitionNumber,
  complain: Complain,
): Promise<PartitionState[]> => {
  const restored: PartitionState[] = []
  for (const { sequence } of [...(await deps.snapshots.list(partition))].reverse()) {
    try {
      const bytes = await deps.snapshots.read(partition, sequence)
      if (bytes !== null)
        restored.push(await restoreSnapshot(bytes, { partition, sequence }, deps.factoryOf(partition)()))
    } catch (error) {
      // A flipped byte is a fault of the disk, which the port or the checksum tells; anything else in it was written wrongly.
      const isDamage =
        error instanceof PortError || /SHA-256|cut short|known format|compression|can't be read/.test(messageOf(error))
      if (!isDamage) complain('snapshots', `snapshot ${sequence} of ${partitionName(partition)}: ${messageOf(error)}`)
    }
  }
  return restored
}

const compareAt = (snapshot: PartitionState, state: PartitionState, complain: Complain): void => {
  const name = `snapshot ${snapshot.sequence} of ${partitionName(snapshot.partition)}`
  if (state.sequence !== snapshot.sequence)
    complain('snapshots', `${name} is ahead of the journal, which ends at ${state.sequence}`)
  else if (!same(snapshot.hash, state.hash)) complain('snapshots', `${name} names another record than the journal has`)
  else if (stateHashOf(snapshot) !== stateHashOf(state))
    complain('snapshots', `${name} is not the state that the journal gives`)
}

/**
 * The state hash of each partition as it serves equals a replay from genesis, and one from each kept snapshot with its
 * tail: every snapshot is the journal's state at its record, and the oldest is followed to the end. Gives the replayed
 * states.
 */
export const checkReplay = async (
  deps: ReplayDeps,
  complain: Complain,
): Promise<ReadonlyMap<PartitionNumber, PartitionState>> => {
  const states = new Map<PartitionNumber, PartitionState>()
  for (const [partition, records] of deps.journals) {
    const name = partitionName(partition)
    const snapshots = await restoreAll(deps, partition, complain)
    const state = emptyState(partition, deps.factoryOf(partition)())
    const end = BigInt(records.length)
    let wrong: string | null = null
    for (const snapshot of snapshots) {
      wrong ??= replay(state, records, snapshot.sequence)
      if (wrong === null) compareAt(snapshot, state, complain)
    }
    wrong ??= replay(state, records, end)
    if (wrong !== null) {
      complain('replay-from-genesis', `${name}: ${wrong}`)
      continue
    }
    states.set(partition, state)
    const hash = stateHashOf(state)
    const told = await deps.stateHash(partition)
    if (told !== null && told !== hash)
      complain('replay-from-genesis', `${name} serves with state ${told}; its journal gives ${hash}`)
    const [oldest] = snapshots
    if (oldest === undefined || oldest.sequence > end) continue
    const wrongTail = replay(oldest, records, end)
    if (wrongTail !== null || stateHashOf(oldest) !== hash)
      complain(
        'snapshots',
        `${name} from snapshot ${snapshots.length === 0 ? '' : 'and tail'} is another state: ${wrongTail ?? 'state hash'}`,
      )
  }
  return states
}

/** What the ledger's machines hold at the end equals the auditor's book, account by account and hold by hold. */
export const checkLedgerState = (state: PartitionState, book: LedgerBook, complain: Complain): void => {
  if (partitionParts(state.partition).machine !== 'ledger') return
  const name = partitionName(state.partition)
  const found = new Set<string>()
  for (let after = 0; ;) {
    const page = decodeAccounts(state.machine.query(accountsQuestion(after, PAGE_LIMIT_MAX)).bytes)
    for (const { owner, currency, kind, balance, locked, version } of page) {
      const account = accountName({ kind, owner: hex(owner), currency })
      found.add(account)
      const own = book.accounts.get(account)
      if (own?.balance !== balance || own.locked !== locked || own.version !== version)
        complain(
          'ledger-decides',
          `${name}: account ${account} has ${balance} (locked ${locked}, version ${version}); the auditor's ` +
            `has ${own?.balance} (${own?.locked}, ${own?.version})`,
        )
    }
    if (page.length < PAGE_LIMIT_MAX) break
    after = page.at(-1)!.slot
  }
  for (const account of book.accounts.keys())
    if (!found.has(account)) complain('ledger-decides', `${name}: account ${account} is not there`)
  const held = new Map<string, bigint>()
  for (let after = 0; ;) {
    const page = decodeHolds(state.machine.query(holdsQuestion(after, PAGE_LIMIT_MAX)).bytes)
    for (const { id, index, amount } of page) held.set(holdName(hex(id), index), amount)
    if (page.length < PAGE_LIMIT_MAX) break
    after = page.at(-1)!.slot
  }
  if (held.size !== book.holds.size || [...book.holds].some(([hold, { amount }]) => held.get(hold) !== amount))
    complain(
      'ledger-decides',
      `${name}: the holds are not those of the auditor's book (${held.size}, not ${book.holds.size})`,
    )
}
