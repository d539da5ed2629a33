import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'

/** Something whose rate is measured: works for about so long and tells what it did and how long that took. */
export interface Subject {
  readonly name: string
  work(durationMs: number): Promise<Work>
}

/** Operations done, and the ms they took (preparing them is not counted). */
export interface Work {
  readonly operations: number
  readonly tookMs: number
}

const clock = createSystemClock()

/** Monotonic time in ms with a fraction. */
export const nowMs = (): number => clock.monotonicMs()

const WARM_UP_MS = 300
const SLICE_MS = 400
const ROUNDS = 4
/** For looking at the records it makes. */
const SHAPE_MS = 100

/**
 * Operations per second of each subject. They take turns in short slices, after a warm-up of each, so that a slow moment of
 * the machine or the disk falls on all of them.
 */
export const measureRates = async (subjects: readonly Subject[]): Promise<Readonly<Record<string, number>>> => {
  for (const subject of subjects) await subject.work(WARM_UP_MS)
  const sums = subjects.map(() => ({ operations: 0, tookMs: 0 }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, subject] of subjects.entries()) {
      const { operations, tookMs } = await subject.work(SLICE_MS)
      sums[index]!.operations += operations
      sums[index]!.tookMs += tookMs
    }
  }
  return Object.fromEntries(
    subjects.map(({ name }, index) => [name, (1_000 * sums[index]!.operations) / sums[index]!.tookMs]),
  )
}

/** Repeats a step until the time is over, timing only what `step` times. */
export const workFor = async (durationMs: number, step: () => Promise<Work> | Work): Promise<Work> => {
  const endMs = nowMs() + durationMs
  const sum = { operations: 0, tookMs: 0 }
  while (nowMs() < endMs) {
    const { operations, tookMs } = await step()
    sum.operations += operations
    sum.tookMs += tookMs
  }
  return sum
}

/**
 * The mean record that a subject makes an engine write: bytes of the body and commands in it, so that the bare peer inserts
 * the same.
 */
export const recordShape = async (
  engine: { written(): { readonly records: number; readonly bytes: number } },
  subject: Subject,
): Promise<{ readonly bodyBytes: number; readonly commandsPerRecord: number }> => {
  const before = engine.written()
  const { operations } = await subject.work(SHAPE_MS)
  const after = engine.written()
  const records = after.records - before.records
  return { bodyBytes: Math.round((after.bytes - before.bytes) / records), commandsPerRecord: operations / records }
}
