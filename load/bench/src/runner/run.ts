import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Group, RowDefinition, Sample } from '../row.ts'
import { isChildMessage, type ChildMessage } from './messages.ts'
import type { RowResult } from './result.ts'

/** A run that takes longer is killed and counts as failed. */
const RUN_MS_MAX = 30 * 60_000

/** Environment variable with a folder that all runs of one command share; it is gone when the command ends. */
export const SHARED_FOLDER = 'BOURSE_BENCH_FOLDER'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

/** What came of the runs of a group so far. */
interface Progress {
  readonly group: Group
  readonly runs: Readonly<Record<string, Sample>>[]
  stopped: { readonly reason: string; readonly isFailure: boolean } | null
}

/** The results of all rows, and whether a group broke: a bug, unlike a part that is not installed. */
export interface Measured {
  readonly results: readonly RowResult[]
  readonly failures: number
}

/** One run in a fresh process; never rejects. Its output goes to our stderr: stdout is for results. */
const runOnce = (group: Group, groupsModule: string, folder: string): Promise<ChildMessage> =>
  new Promise((resolve) => {
    let told: ChildMessage | null = null
    const child = fork(CHILD, [groupsModule, group.name], {
      execArgv: ['--disable-warning=ExperimentalWarning', ...(group.nodeFlags ?? [])],
      stdio: ['ignore', 2, 2, 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, [SHARED_FOLDER]: folder },
      timeout: RUN_MS_MAX,
      killSignal: 'SIGKILL',
    })
    child.on('message', (message) => {
      if (isChildMessage(message)) told = message
    })
    child.on('error', (error) => resolve({ type: 'failed', message: error.message }))
    child.on('close', (code, signal) => {
      resolve(told ?? { type: 'failed', message: `its process ended with ${signal ?? `exit code ${code}`}` })
    })
  })

const faultOf = (samples: Readonly<Record<string, Sample>>, rows: readonly RowDefinition[]): string | null => {
  for (const [name, { value, peers }] of Object.entries(samples)) {
    if (!rows.some((row) => row.name === name)) return `it measured ${name}, which is none of its rows`
    if (![value, ...Object.values(peers)].every((figure) => Number.isFinite(figure) && figure > 0))
      return `${name}: a figure is not a positive number`
  }
  return null
}

/** Takes a run into the progress; gives the reason why this group runs no further, or null. */
const takeRun = async (progress: Progress, groupsModule: string, folder: string): Promise<string | null> => {
  const message = await runOnce(progress.group, groupsModule, folder)
  const fault = message.type === 'measured' ? faultOf(message.samples, progress.group.rows) : null
  if (message.type === 'measured' && fault === null) {
    progress.runs.push(message.samples)
    return null
  }
  const isFailure = message.type !== 'unavailable'
  const why = message.type === 'unavailable' ? message.reason : message.type === 'failed' ? message.message : fault
  const reason = isFailure ? `run ${progress.runs.length + 1} failed: ${why}` : String(why)
  progress.stopped = { reason, isFailure }
  return reason
}

const resultOf = (row: RowDefinition, { runs, stopped }: Progress): RowResult => {
  if (stopped !== null) return { row, samples: [], reason: stopped.reason }
  const samples = runs.flatMap((run) => run[row.name] ?? [])
  const isComplete = samples.length === runs.length
  return { row, samples: isComplete ? samples : [], reason: isComplete ? null : 'a run did not measure it' }
}

/**
 * Measures groups: every run of a group is a fresh process. The runs go round (first of all groups, second of all groups…),
 * so that a slow quarter of an hour of the machine falls on all groups alike. A group that fails or is unavailable runs
 * no further.
 */
export const measureGroups = async (options: {
  readonly groups: readonly Group[]
  readonly groupsModule: string
  readonly runs: number
  readonly note: (line: string) => void
}): Promise<Measured> => {
  const all = options.groups.map((group): Progress => ({ group, runs: [], stopped: null }))
  const folder = await mkdtemp(join(tmpdir(), 'bourse-bench-'))
  try {
    for (let run = 1; run <= options.runs; run++) {
      for (const progress of all) {
        if (progress.stopped !== null) continue
        options.note(`run ${run} of ${options.runs}: ${progress.group.name}`)
        const reason = await takeRun(progress, options.groupsModule, folder)
        if (reason !== null) options.note(`${progress.group.name}: ${reason}`)
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return {
    results: all.flatMap((progress) => progress.group.rows.map((row) => resultOf(row, progress))),
    failures: all.filter(({ stopped }) => stopped?.isFailure === true).length,
  }
}
