import { tmpdir } from 'node:os'
import { performance } from 'node:perf_hooks'
import { noGoal } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { SHARED_FOLDER } from '../../runner/run.ts'
import { preparePlatform, startOn } from './platform-data.ts'

const ACCOUNTS = 100_000

const measure = async (): Promise<Record<string, Sample>> => {
  const folder = await preparePlatform(process.env[SHARED_FOLDER] ?? tmpdir(), ACCOUNTS)
  const startMs = performance.now()
  const platform = await startOn(folder)
  try {
    const ready = await fetch(`http://127.0.0.1:${platform.port}/readyz`)
    const tookMs = performance.now() - startMs
    if (ready.status !== 200) throw new Error(`the platform answered ${ready.status}`)
    return { 'recovery/platform-100k-accounts': { value: tookMs, peers: {} } }
  } finally {
    await platform.stop()
  }
}

/** The whole platform that starts again. */
export const recoveryPlatform: Group = {
  name: 'recovery/platform',
  rows: [
    {
      name: 'recovery/platform-100k-accounts',
      what:
        'From the start of the embedded platform, stopped in order before, to its first answer over HTTP that it is ' +
        'ready, with 100,000 accounts',
      unit: 'ms',
      kind: 'wire to wire',
      goal: noGoal,
    },
  ],
  measure,
}
