import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createBridgeMachine } from '@bourse/bridge/machine/machine.ts'
import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import { partitionNumber, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { hashOf } from '@bourse/common/kernel/record.ts'
import type { StoredRecord } from '@bourse/common/ports/journal.ts'
import { createLedgerMachine, loadLedgerModule } from '@bourse/risk-rules/ledger/machine.ts'
import { createReferenceLedgerMachine } from '@bourse/risk-rules/reference/ledger/machine.ts'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'

/**
 * Golden journals: what the partitions of one release journaled, kept as it was. A folder per release; in it per partition
 * `<number>.journal.gz`, records back to back, each `u32 bytes (little endian) │ body`, and `expected.json`.
 */

/** Ledger partitions of the golden world. */
export const LEDGER_PARTITIONS = 2
/** Its partitions: both ledgers, one of the trading market 1, one bridge. */
export const places = {
  ledgers: [partitionNumber('ledger', 0), partitionNumber('ledger', 1)],
  trading: partitionNumber('trading', 0, 1),
  bridge: partitionNumber('bridge', 0),
} as const

/** What a partition's journal must come to. */
export interface Expected {
  readonly partition: PartitionNumber
  readonly records: number
  /** Hex, of the last record: with it the whole chain is fixed. */
  readonly lastHash: string
  readonly stateHash: string
}

const LEDGER_CAPACITIES = { accountsMax: 256, holdsMax: 256, idsMax: 1_024 }
const TRADING_CAPACITIES = { tradesMax: 256, idsMax: 1_024 }

/** The machines that must agree on a journal, by name: the module and, where there is one, its reference. */
export const machinesOf = (partition: PartitionNumber): [string, MachineFactory][] => {
  const { machine } = partitionParts(partition)
  if (machine === 'bridge') return [['bridge', () => createBridgeMachine({ ledgerPartitions: LEDGER_PARTITIONS })]]
  if (machine === 'ledger') {
    return [
      ['WASM', () => createLedgerMachine({ wasm: loadLedgerModule(), ...LEDGER_CAPACITIES })],
      ['reference', () => createReferenceLedgerMachine(LEDGER_CAPACITIES)],
    ]
  }
  return [
    ['WASM', () => createTradingMachine({ wasm: loadTradingModule(), ...TRADING_CAPACITIES })],
    ['reference', () => createReferenceTradingMachine(TRADING_CAPACITIES)],
  ]
}

const here = import.meta.dirname
const journalFile = (release: string, partition: PartitionNumber): string =>
  join(here, release, `${partition}.journal.gz`)

/** The releases whose journals are kept. */
export const releases = (): string[] =>
  readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()

/** What a release's journals must come to. */
export const expectedOf = (release: string): Expected[] =>
  JSON.parse(readFileSync(join(here, release, 'expected.json'), 'utf8')) as Expected[]

/** Reads a golden journal. */
export const readJournal = (release: string, partition: PartitionNumber): StoredRecord[] => {
  const bytes = gunzipSync(readFileSync(journalFile(release, partition)))
  const records: StoredRecord[] = []
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32LE(at)
    const body = Uint8Array.from(bytes.subarray(at + 4, at + 4 + size))
    records.push({ sequence: BigInt(records.length + 1), hash: hashOf(body), body })
    at += 4 + size
  }
  return records
}

/** Writes a golden journal. */
export const writeJournal = (release: string, partition: PartitionNumber, records: readonly StoredRecord[]): void => {
  const parts = records.flatMap(({ body }) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(body.length)
    return [size, body]
  })
  writeFileSync(journalFile(release, partition), gzipSync(Buffer.concat(parts), { level: 9 }))
}

/** Writes what the journals must come to. */
export const writeExpected = (release: string, expected: readonly Expected[]): void =>
  writeFileSync(join(here, release, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`)
