import { describe, expect, test } from '@jest/globals'
import { PortError, type FailureKind } from '../../ports/failure.ts'
import { createFaultPlan, type FaultKind, type FaultPlan } from '../faults/plan.ts'
import { createSeededRandom } from '../seeded-random.ts'

/** An open port in the hands of a suite, with probes for what the port rightly hides. */
export interface Opened<Port> {
  readonly port: Port
  /** Closes the port and opens it again on the same data; left out by adapters that keep nothing. */
  reopen?(): Promise<Port>
  /** Closes what is open and removes the data. */
  destroy(): Promise<void>
}

/** What a suite runs on. */
export interface Subject<Harness> {
  readonly name: string
  /** Opens the port on fresh data. */
  open(): Promise<Harness>
  /** Faults that strike while the suite runs: it then uses the port as a careful caller does. None by default. */
  readonly faults?: readonly FaultKind[]
  readonly seed?: number
}

/** One scenario's world: the port under its faults, and how to call it. */
export interface World<Port, Harness> {
  readonly port: Port
  readonly harness: Harness
  /** Whether faults strike. */
  readonly isFaulty: boolean
  /** Calls something that may be repeated; under faults it is, until it answers. */
  call<Value>(task: () => Promise<Value>): Promise<Value>
  /** Closes and opens the port again, under the same faults. */
  reopen(): Promise<Port>
}

/** Declares a scenario; `without` names faults under which its clause promises nothing. */
export type Define<Port, Harness> = (
  title: string,
  body: (world: World<Port, Harness>) => Promise<void>,
  without?: readonly FaultKind[],
) => void

const ATTEMPTS_MAX = 100
const REPEATABLE: readonly FailureKind[] = ['unavailable', 'unknown', 'timeout']

/** Repeats a call that failed in a way that allows it. */
export const persist = async <Value>(task: () => Promise<Value>): Promise<Value> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task()
    } catch (error) {
      if (!(error instanceof PortError) || !REPEATABLE.includes(error.kind) || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

/** Expects a call to fail with a PortError of this kind. */
export const expectFailure = async (kind: FailureKind, task: () => Promise<unknown>): Promise<void> => {
  const failure = await task().then(
    () => 'no failure',
    (error: unknown) => (error instanceof PortError ? error.kind : error),
  )
  expect(failure).toBe(kind)
}

/** A pause on the real clock. */
export const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

/** A pause of the machine's own time as well: of a long standstill it takes one step only, so that others get theirs too. */
export const pauseInSteps = async (delayMs: number, stepMs = 50): Promise<void> => {
  for (let pausedMs = 0; pausedMs < delayMs; pausedMs += stepMs) await pause(stepMs)
}

/** Far beyond what a busy machine takes, and below the time of a test, so that it is told what was waited for. */
const UNTIL_MS_MAX = 60_000

/** Waits until a condition holds; fails after a minute, which nothing but a defect takes, with the condition or its name. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  name = condition.toString(),
): Promise<void> => {
  const endMs = performance.now() + UNTIL_MS_MAX
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not true within ${UNTIL_MS_MAX} ms: ${name}`)
    await pause(2)
  }
}

/** Runs a port's scenarios on a subject, each in a world of its own. */
export const describeContract = <Port, Harness extends Opened<Port>>(
  subject: Subject<Harness>,
  wrap: (port: Port, plan: FaultPlan) => Port,
  scenarios: (define: Define<Port, Harness>) => void,
): void => {
  const kinds = subject.faults ?? []
  const isFaulty = kinds.length > 0
  const seed = subject.seed ?? 20_260_801
  const define: Define<Port, Harness> = (title, body, without = []) => {
    if (kinds.some((kind) => without.includes(kind))) return
    test(title, async () => {
      const harness = await subject.open()
      const plan = createFaultPlan({ random: createSeededRandom(seed), kinds })
      const dressed = (port: Port): Port => (isFaulty ? wrap(port, plan) : port)
      try {
        await body({
          port: dressed(harness.port),
          harness,
          isFaulty,
          call: (task) => (isFaulty ? persist(task) : task()),
          reopen: async () => {
            if (harness.reopen === undefined) throw new Error('this adapter keeps nothing')
            return dressed(await harness.reopen())
          },
        })
      } finally {
        await harness.destroy()
      }
    })
  }
  const faults = isFaulty ? `, with faults (${kinds.join(', ')}; seed ${seed})` : ''
  describe(`${subject.name}${faults}`, () => scenarios(define))
}
