import { join } from 'node:path'
import { atLeast, ratioAtLeast } from '../../goals.ts'
import type { Goal, Group } from '../../row.ts'
import { createBareInsert } from './bare-insert.ts'
import { withFolder } from './folder.ts'
import { measureRates, recordShape } from './slices.ts'
import { createTradingSubject, startTrading } from './trading-load.ts'

const groupOf = (batch: number, goal: Goal): Group => {
  const name = `fsync/trading-${batch}`
  return {
    name,
    rows: [
      {
        name,
        what:
          `opens and closes in turn, each with an id, 100,000 trades open, ${batch} delivered together and in one record, the ` +
          'next when all are answered; from the delivery of binary commands to the release of their outcomes by the kernel’s ' +
          'runner: intake, quote, batch, WASM market with ids, record with SHA-256 chain and effects, SQLite append flushed to ' +
          'the disk, event stream, effects sent to the ledger and confirmed',
        unit: 'ops/s',
        kind: 'core + fsync',
        goal,
      },
    ],
    measure: () =>
      withFolder(async (folder) => {
        const load = await startTrading(join(folder, 'engine'))
        const subject = createTradingSubject(load, batch)
        const shape = await recordShape(load.engine, subject)
        const bare = createBareInsert({ path: join(folder, 'bare.sqlite'), ...shape })
        const rates = await measureRates([subject, bare])
        bare.close()
        await load.engine.close()
        return { [name]: { value: rates['trading']!, peers: { 'bare-insert': rates['bare-insert']! } } }
      }),
  }
}

/** One command in each record. */
export const tradingOne = groupOf(1, ratioAtLeast('bare-insert', 0.8))

/** Ten in each. */
export const tradingTen = groupOf(10, ratioAtLeast('bare-insert', 0.6))

/** A hundred in each. */
export const tradingHundred = groupOf(100, atLeast(400_000, 'ops/s'))
