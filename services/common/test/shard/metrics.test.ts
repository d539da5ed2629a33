import { describe, expect, test } from '@jest/globals'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { createRunnerCounts, type RunnerStatus } from '@bourse/common/kernel/runner-types.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import { createBatchMetrics } from '@bourse/common/shard/batch-metrics.ts'
import { KERNEL_METRICS_INTERVAL_MS, startKernelMetrics } from '@bourse/common/shard/metrics.ts'
import { startStateMetrics, STATE_METRICS_INTERVAL_MS } from '@bourse/common/shard/state-metrics.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'

const fail = (error: unknown): never => {
  throw error
}
const record: JournalRecord = {
  partition: 1,
  sequence: 1n,
  now: 0n,
  behaviour: 1,
  previousHash: new Uint8Array(32),
  inputs: [new Uint8Array(56), new Uint8Array(56), new Uint8Array(56)],
  outcomes: [],
  effects: [],
  faulted: [],
}
const statusOf = (change: Partial<RunnerStatus>): RunnerStatus => ({
  partition: 1,
  name: 'ledger/1',
  state: 'serving',
  reason: null,
  sequence: 100n,
  nowMs: 0n,
  waiting: 0,
  unconfirmedEffects: 0,
  oldestUnconfirmedRecord: null,
  outsideCalls: 0,
  parkedReads: 0,
  counts: createRunnerCounts(),
  lastSnapshot: null,
  recovery: null,
  machineBytes: null,
  ...change,
})

test('a batch is shown by its stages and its size; what made itself has not queued', async () => {
  const metrics = createMetrics()
  const counted: JournalRecord[] = []
  const observer = createBatchMetrics(metrics)('ledger/1', (one) => counted.push(one))
  const times = { takenMs: 1_000, appliedMs: 1_002, appendedMs: 1_030, releasedMs: 1_031 }
  observer.recorded({ record, times: { ...times, arrivedMs: 990 }, messages: [] })
  observer.recorded({ record, times: { ...times, arrivedMs: null }, messages: [] })
  observer.settled(0.2)
  const { text } = await metrics.expose()
  const stage = (name: string, what: string): string =>
    `bourse_partition_stage_seconds_${what}{partition="ledger/1",stage="${name}"}`
  expect(text).toContain(`${stage('queue', 'sum')} 0.01\n`)
  expect(text).toContain(`${stage('queue', 'count')} 1\n`)
  expect(text).toContain(`${stage('apply', 'sum')} 0.004\n`)
  expect(text).toContain(`${stage('append', 'sum')} 0.056\n`)
  expect(text).toContain(`${stage('reply', 'sum')} 0.002\n`)
  expect(text).toContain('bourse_partition_batch_commands_sum{partition="ledger/1"} 6')
  expect(text).toContain('bourse_partition_settlement_seconds_bucket{le="0.25",partition="ledger/1"} 1')
  expect(counted).toHaveLength(2)
})

describe('the gauges of partitions', () => {
  const show = async (statuses: readonly (RunnerStatus | null)[]) => {
    const metrics = createMetrics()
    const clock = createManualClock(10_000)
    let status: RunnerStatus | null = null
    const partitions = () => (status === null ? [] : [{ title: 'ledger/1', status, viewSequence: 90n }])
    const repeating = startKernelMetrics({ partitions, metrics, clock, onError: fail })
    const texts: string[] = []
    for (const next of [...statuses, null]) {
      status = next
      await clock.advance(KERNEL_METRICS_INTERVAL_MS)
      texts.push((await metrics.expose()).text)
    }
    await repeating.stop()
    return texts
  }
  const line = (name: string, value: string): string => `bourse_partition_${name}{partition="ledger/1"} ${value}\n`

  test('tell how old the last snapshot is and how far it lies back, also of one that the state came from', async () => {
    const snapshot = { sequence: 40n, bytes: 5_000, sha256: '', atMs: 1_000 }
    const recovery = { partition: 1, snapshotSequence: 40n, snapshot, doubted: [], replayed: 60, sequence: 100n }
    const [from = '', own = '', none = ''] = await show([
      statusOf({ recovery }),
      statusOf({ recovery, lastSnapshot: { ...snapshot, sequence: 100n, atMs: 12_000 } }),
      statusOf({}),
    ])
    expect(from).toContain(line('snapshot_age_seconds', '10'))
    expect(from).toContain(line('snapshot_lag_records', '60'))
    expect(from).toContain(line('snapshot_bytes', '5000'))
    // Nothing lies behind it, so its age says nothing.
    expect(own).toContain(line('snapshot_age_seconds', '0'))
    expect(own).toContain(line('snapshot_lag_records', '0'))
    // Without any snapshot a takeover replays everything: as old as the partition's stay here.
    expect(none).toContain(line('snapshot_age_seconds', '2'))
    expect(none).toContain(line('snapshot_lag_records', '100'))
  })

  test('show the owner’s lags of owners only, and nothing of a partition that went elsewhere but its counts', async () => {
    const counts = { ...createRunnerCounts(), traps: 2 }
    const [serving = '', prepared = '', gone = ''] = await show([
      statusOf({ counts, oldestUnconfirmedRecord: 98n, machineBytes: 65_536 }),
      statusOf({ counts, state: 'prepared' }),
    ])
    expect(serving).toContain(line('cursor_lag_records', '3'))
    expect(serving).toContain(line('view_lag_records', '10'))
    expect(serving).toContain(line('memory_bytes', '65536'))
    expect(serving).toContain('bourse_partition_events_total{partition="ledger/1",event="traps"} 2\n')
    expect(serving).toContain('bourse_partition_events_total{partition="ledger/1",event="rebuilds"} 0\n')
    expect(prepared).toContain(line('serving', '0'))
    expect(prepared).not.toContain('bourse_partition_view_lag_records{')
    expect(prepared).not.toContain('bourse_partition_snapshot_age_seconds{')
    expect(prepared).not.toContain('bourse_partition_memory_bytes{')
    expect(gone).not.toContain('bourse_partition_serving{')
    expect(gone).toContain('bourse_partition_events_total{partition="ledger/1",event="traps"} 2\n')
  })

  test('count all that a partition’s next runner counts, when it comes back', async () => {
    const counted = (traps: number): RunnerStatus => statusOf({ counts: { ...createRunnerCounts(), traps } })
    const [, , back = ''] = await show([counted(2), null, counted(3)])
    expect(back).toContain('bourse_partition_events_total{partition="ledger/1",event="traps"} 5\n')
  })
})

test('states are asked in turn; what can not be asked any more is forgotten, and one failure harms no other', async () => {
  const clock = createManualClock(0)
  const told: string[] = []
  const errors: unknown[] = []
  let failure: Error | null = null
  const query = (): Promise<Uint8Array> =>
    failure === null ? Promise.resolve(new Uint8Array(1)) : Promise.reject(failure)
  const show = {
    show: async ({ title, query: ask }: { title: string; query: (question: Uint8Array) => Promise<Uint8Array> }) => {
      told.push(`${title} has ${(await ask(new Uint8Array(0))).length}`)
    },
    forget: (title: string) => void told.push(`${title} is forgotten`),
  }
  const served = () => [
    { partition: 1, title: 'one', query },
    { partition: 2, title: 'two', query: () => Promise.resolve(new Uint8Array(2)) },
  ]
  const repeating = startStateMetrics({ served, showOf: () => show, clock, onError: (error) => errors.push(error) })
  await clock.advance(STATE_METRICS_INTERVAL_MS)
  failure = new PortError('unavailable', 'it is served elsewhere')
  await clock.advance(STATE_METRICS_INTERVAL_MS)
  failure = new Error('a bug')
  await clock.advance(STATE_METRICS_INTERVAL_MS)
  await repeating.stop()
  expect(told).toEqual(['one has 1', 'two has 2', 'two has 2', 'one is forgotten', 'two has 2'])
  expect(errors).toEqual([failure])
})
