import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { allOf, atLeast, ratioAtLeast } from '../../goals.ts'
import type { Goal, Group, RowDefinition, Sample } from '../../row.ts'
import { createBareInsert } from './bare-insert.ts'
import { withFolder } from './folder.ts'
import { createLedgerSubject, startLedger, type TransferShape } from './ledger-load.ts'
import { postgresUnavailable, startPostgres } from './postgres-server.ts'
import { openTransfers } from './postgres-transfers.ts'
import { measureRates, recordShape } from './slices.ts'

const INSIDE =
  'from the delivery of binary commands to the release of their outcomes by the kernel’s runner: intake, batch, WASM ledger ' +
  'with ids, record with SHA-256 chain, SQLite append flushed to the disk, event stream'

const PARTIES: Readonly<Record<TransferShape, string>> = {
  unique: 'each between two accounts of its own, out of 131,072',
  hot: 'each from an account of its own to one and the same',
}

const rowOf = (name: string, batch: number, shape: TransferShape, goal: Goal): RowDefinition => ({
  name,
  what:
    `transfers of two legs, ${PARTIES[shape]}, ${batch} delivered together and in one record, the next when all are ` +
    `answered; ${INSIDE}`,
  unit: 'ops/s',
  kind: 'core + fsync',
  goal,
})

const overPostgres = allOf(ratioAtLeast('postgres-row-locks', 40), ratioAtLeast('postgres-batched', 8))

const measurePostgres = async (folder: string, shapes: readonly TransferShape[]) => {
  const reason = await postgresUnavailable()
  if (reason !== null) return { rates: null, absent: { 'postgres-row-locks': reason, 'postgres-batched': reason } }
  // The server runs as somebody else, who has to get to its folder.
  await chmod(folder, 0o711)
  const server = await startPostgres(join(folder, 'postgres'))
  try {
    const transfers = await openTransfers(server)
    const rates: Partial<Record<TransferShape, Readonly<Record<string, number>>>> = {}
    for (const shape of shapes) rates[shape] = await measureRates([transfers.rowLocks(shape), transfers.batched(shape)])
    await transfers.close()
    return { rates, absent: null }
  } finally {
    await server.stop()
  }
}

interface LedgerRow {
  readonly shape: TransferShape
  readonly row: RowDefinition
}

const measure = (batch: number, rows: readonly LedgerRow[]): Promise<Readonly<Record<string, Sample>>> =>
  withFolder(async (folder) => {
    const engine = await startLedger(join(folder, 'engine'))
    const subjects = rows.map(({ shape }) => createLedgerSubject(engine, batch, shape))
    const shape = await recordShape(engine, subjects[0]!)
    const bare = createBareInsert({ path: join(folder, 'bare.sqlite'), ...shape })
    const own = await measureRates([...subjects, bare])
    bare.close()
    await engine.close()
    const postgres = await measurePostgres(
      folder,
      rows.map(({ shape }) => shape),
    )
    const samples = rows.map(({ shape, row }): [string, Sample] => {
      const unique = shape === 'hot' ? { unique: own['unique']! } : {}
      const peers = { 'bare-insert': own['bare-insert']!, ...unique, ...postgres.rates?.[shape] }
      return [row.name, { value: own[shape]!, peers, ...(postgres.absent === null ? {} : { absent: postgres.absent }) }]
    })
    return Object.fromEntries(samples)
  })

const groupOf = (name: string, batch: number, rows: readonly LedgerRow[]): Group => ({
  name,
  rows: rows.map(({ row }) => row),
  measure: () => measure(batch, rows),
})

/** One command in each record: what an idle platform gives a single client. */
export const ledgerOne = groupOf('fsync/ledger-1', 1, [
  { shape: 'unique', row: rowOf('fsync/ledger-1', 1, 'unique', ratioAtLeast('bare-insert', 0.8)) },
])

/** Fifty in each, on accounts of their own and on one that all of them touch. */
export const ledgerFifty = groupOf('fsync/ledger-50', 50, [
  {
    shape: 'unique',
    row: rowOf('fsync/ledger-50', 50, 'unique', allOf(atLeast(400_000, 'ops/s'), overPostgres)),
  },
  {
    shape: 'hot',
    row: rowOf('fsync/ledger-hot-50', 50, 'hot', allOf(ratioAtLeast('unique', 0.9), overPostgres)),
  },
])

/** As many as a partition holds in flight. */
export const ledgerMany = groupOf('fsync/ledger-8190', 8_190, [
  {
    shape: 'unique',
    row: rowOf('fsync/ledger-8190', 8_190, 'unique', allOf(atLeast(1_000_000, 'ops/s'), overPostgres)),
  },
])
