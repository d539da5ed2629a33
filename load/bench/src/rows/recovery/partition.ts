import { fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { recoverPartition } from '@bourse/common/kernel/recovery.ts'
import { atMost, noGoal } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { SHARED_FOLDER } from '../../runner/run.ts'
import { PARTITION } from '../../market.ts'
import { createMachine, placesIn, prepare, type DataSize } from './journal-data.ts'

const SERVE = fileURLToPath(new URL('serve.ts', import.meta.url))

const MILLION = { openTrades: 1_000_000, records: 100_000, commandsPerRecord: 1 } as const
const REPLAYED = { openTrades: 0, records: 4_096, commandsPerRecord: 64 } as const

/** What the serving process found. */
export interface ServeReport {
  readonly openCount: number
  readonly replayed: number
  readonly doubted: number
  readonly snapshot: string
  readonly stateHash: string
}

type ServeMessage = { readonly type: 'serving' } | ({ readonly type: 'report' } & ServeReport)

/** Starts a process on the folder; answers the ms until it had answered a read, and what it found. */
export const startServing = (folder: string): Promise<{ readonly tookMs: number; readonly report: ServeReport }> =>
  new Promise((resolve, reject) => {
    const startMs = performance.now()
    let tookMs: number | null = null
    let report: ServeReport | null = null
    const child = fork(SERVE, [folder], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    child.on('message', (message: ServeMessage) => {
      if (message.type === 'serving') tookMs = performance.now() - startMs
      else report = message
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (tookMs === null || report === null || code !== 0)
        reject(new Error(`the serving process ended with exit code ${code}`))
      else resolve({ tookMs, report })
    })
  })

/** Starts on prepared data. @throws when what is served is not what was written */
export const recover = async (folder: string, size: DataSize): Promise<number> => {
  const { tookMs, report } = await startServing(folder)
  const stateHash = await readFile(placesIn(folder).stateHash, 'utf8')
  const isWhole = report.snapshot === '1' && report.doubted === 0 && report.replayed === size.records
  if (!isWhole || report.openCount === 0 || report.stateHash !== stateHash)
    throw new Error(`the partition recovered otherwise than ${stateHash}: ${JSON.stringify(report)}`)
  return tookMs
}

const measureStart = async (shared: string): Promise<number> =>
  recover(await prepare(shared, 'recovery-1m', MILLION), MILLION)

const measureReplay = async (shared: string): Promise<number> => {
  const places = placesIn(await prepare(shared, 'recovery-replay', REPLAYED))
  const journal = openSqliteJournal({ path: places.journal })
  const snapshots = await openFileSnapshots({ folder: places.snapshots, clock: createSystemClock() })
  const startMs = performance.now()
  const { report } = await recoverPartition({ journal, snapshots, factory: createMachine }, PARTITION)
  const tookMs = performance.now() - startMs
  await snapshots.close()
  await journal.close()
  if (report.replayed !== REPLAYED.records + 1) throw new Error(`${report.replayed} records were replayed`)
  return (REPLAYED.records * REPLAYED.commandsPerRecord * 1_000) / tookMs
}

const measure = async (): Promise<Record<string, Sample>> => {
  const shared = process.env[SHARED_FOLDER] ?? tmpdir()
  return {
    'recovery/1m': { value: await measureStart(shared), peers: {} },
    'recovery/replay': { value: await measureReplay(shared), peers: {} },
  }
}

/** A partition that starts again. */
export const recoveryPartition: Group = {
  name: 'recovery/partition',
  rows: [
    {
      name: 'recovery/1m',
      what:
        'From the start of a process to its first strong read: a partition with 1,000,000 open trades from its snapshot ' +
        'and 100,000 records of one command each behind it, every record verified and its outcomes compared, the state ' +
        'the one written',
      unit: 'ms',
      kind: 'core + fsync',
      goal: atMost(1_000, 'ms'),
    },
    {
      name: 'recovery/replay',
      what: 'Commands replayed and compared from the SQLite journal, in records of 64, every record verified',
      unit: 'commands/s',
      kind: 'core + fsync',
      goal: noGoal,
    },
  ],
  measure,
}
