import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { ledgerPartitionOf } from '@bourse/common/platform/topology.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import { balancesQuestion, decodeBalances } from '@bourse/risk-rules/ledger/queries.ts'
import { pause, until } from '../../../support/calls.ts'
import { judge, type Verdict } from './judge.ts'
import { attempt, createDraw, DEADLINE_MS, insist, startLoad, type Answer, type Answered, type Load } from './load.ts'
import { CURRENCY, topology } from './market.ts'
import { createOperations, type Operation, type Operations } from './operations.ts'
import { startPlatform, type Platform, type PlatformOptions } from './platform.ts'
import type { RunStores } from './stores.ts'

/** Seed of the load; a run prints the one it took. */
const SEED = testSeed()
/** How long a platform may take to be at work, ms. */
const SETUP_MS_MAX = 120_000
/** How long clients go on asking after the fault has ended, ms. */
const PATIENCE_MS = 300_000
/** Time of a test that makes one run, ms: it ends a run that hangs, and judges nothing. */
export const RUN_MS_MAX = 900_000
const REPEATS_AT_ONCE = 64
const REPEAT_ATTEMPTS_MAX = 20
const GRANT = 1_000_000n * 100_000_000n

/** What strikes, and what it strikes at. */
export type Fault = (platform: Platform, load: Pick<Load, 'answers'>) => Promise<void>

/** What a test expects of every run: nothing wrong, nothing lost, nothing done twice, everything answered. */
export const FLAWLESS = { faults: [], lost: 0, doubled: 0, effectsInFlight: 0 } as const

/** One run. */
export interface RunOptions extends Omit<PlatformOptions, 'folder' | 'prefix' | 'stores'> {
  /** What the line about it says. */
  readonly title: string
  readonly openStores: (name: string, folder: string) => Promise<RunStores>
  readonly fault: Fault
  /** Operations a second, and at least in all; a part of them comes before the fault and a part after it. */
  readonly perSecond?: number
  readonly least?: number
}

/** What came of a run. */
export interface RunResult extends Verdict {
  readonly sent: number
  readonly acknowledged: number
  readonly slowestMs: number
  readonly restarts: number
  readonly reacquired: number
  readonly done: readonly Answered[]
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs tasks in order of the items, so many at a time. */
const inParallel = async <Item, Value>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item) => Promise<Value>,
): Promise<Value[]> => {
  const values: Value[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) values[index] = await task(items[index]!)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  return values
}

const repeatOf = async (clients: readonly PartitionClient[], operation: Operation): Promise<Answer | null> => {
  for (let tries = 0; tries < REPEAT_ATTEMPTS_MAX; tries++) {
    const answer = await attempt(clients[tries % clients.length]!, operation)
    if (answer !== null) return answer
    await pause(100)
  }
  return null
}

const balanceOf = async (client: PartitionClient, owner: Uint8Array): Promise<bigint> => {
  const ask = () =>
    client.read(ledgerPartitionOf(topology, owner), balancesQuestion(owner), { deadlineMs: DEADLINE_MS })
  const answer = await until(ask, ({ ok }) => ok)
  if (!answer.ok) throw new Error(`no balance: ${answer.refusal.message}`)
  return decodeBalances(answer.value.outcome).find(({ currency }) => currency === CURRENCY)?.balance ?? 0n
}

let runs = 0

/** What strikes is to strike a platform at work. */
const untilAtWork = async (load: Load, answers: number): Promise<void> => {
  for (const endMs = performance.now() + SETUP_MS_MAX; load.answered() < answers; await pause(20))
    if (performance.now() > endMs) throw new Error(`${load.answered()} answers in ${SETUP_MS_MAX} ms before the fault`)
}

interface Stage {
  readonly options: RunOptions
  readonly platform: Platform
  readonly stores: RunStores
  readonly operations: Operations
}

const setUp = async ({ platform, operations }: Stage): Promise<Answered[]> => {
  const endMs = performance.now() + SETUP_MS_MAX
  const accounts = [...operations.savers, ...operations.traders].map((owner) => operations.account(owner, GRANT))
  const first = [...accounts, ...operations.fund()]
  return Promise.all(first.map((operation, index) => insist(platform.clients, operation, index, () => endMs)))
}

/** Lets everything come to rest, asks for everything again, ends the platform in order and reads what it wrote. */
const judgeAll = async ({ platform, stores, operations }: Stage, all: readonly Answered[]): Promise<Verdict> => {
  const { clients } = platform
  await platform.quiet()
  const repeats = await inParallel(all, REPEATS_AT_ONCE, ({ operation }) => repeatOf(clients, operation))
  const held = new Map<string, bigint>()
  for (const owner of operations.savers) held.set(hexOf(owner), await balanceOf(clients[0]!, owner))
  await platform.quiet()
  await platform.stop()
  const verdict = await judge({ ...stores, done: all, repeats, held })
  return { ...verdict, faults: [...verdict.faults, ...platform.crashes()] }
}

const play = async (stage: Stage): Promise<RunResult> => {
  const { title, fault, perSecond = 150, least = 600 } = stage.options
  const { platform, stores, operations } = stage
  const setup = await setUp(stage)
  const load = startLoad(platform.clients, createDraw(createSeededRandom(SEED + 1), operations), perSecond)
  try {
    await untilAtWork(load, least / 4)
    await fault(platform, load)
    const { done, unanswered } = await load.finish(least, PATIENCE_MS)
    platform.mind(true)
    const all = [...setup, ...done]
    const verdict = await judgeAll(stage, all)
    const sent = all.length + unanswered
    const slowestMs = Math.round(Math.max(...done.map(({ tookMs }) => tookMs)))
    const lost = verdict.lost + unanswered
    say(
      `fault: ${title}: sent ${sent}, acknowledged ${all.length}, lost ${lost}, doubled ${verdict.doubled}, ` +
        `slowest answer ${slowestMs} ms (journal ${stores.label}, ${verdict.records} records)`,
    )
    return { ...verdict, lost, sent, acknowledged: all.length, slowestMs, ...platform.counts, done }
  } finally {
    await load.abort()
  }
}

/**
 * Starts a platform, lets a fault strike it under load, lets everything heal and be answered, stops it in order and judges what
 * is in its journal. Prints the line of the fault.
 */
export const runFault = async (options: RunOptions): Promise<RunResult> => {
  const name = `faults${process.pid}x${(runs += 1)}`
  const folder = join(tmpdir(), name)
  const stores = await options.openStores(name, folder)
  try {
    const platform = await startPlatform({ ...options, stores, folder, prefix: name })
    const operations = createOperations(createSeededRandom(SEED), { savers: 12, traders: 12 })
    return await play({ options, platform, stores, operations }).finally(platform.stop)
  } finally {
    await stores.close()
  }
}
