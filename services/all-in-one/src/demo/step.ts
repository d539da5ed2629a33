import { isDeepStrictEqual } from 'node:util'

/** One step of the demo: what was done, what was expected, what came. */
export interface DemoStep {
  readonly flow: 'bank' | 'trader'
  readonly name: string
  readonly expected: string
  readonly got: string
  readonly ok: boolean
  /** The answer as it came over the wire, where a reader wants to see it whole. */
  readonly answer?: string
}

/** Collects steps; a step that fails does not end the demo, one that throws does. */
export interface DemoReport {
  readonly steps: readonly DemoStep[]
  equal(name: string, got: unknown, expected: unknown, answer?: unknown): void
  that(name: string, condition: boolean, expected: string, got: unknown): void
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'))

/** Makes a report for one flow. */
export const createReport = (flow: DemoStep['flow']): DemoReport => {
  const steps: DemoStep[] = []
  return {
    steps,
    equal: (name, got, expected, answer) => {
      const step = { flow, name, expected: shown(expected), got: shown(got), ok: isDeepStrictEqual(got, expected) }
      steps.push(answer === undefined ? step : { ...step, answer: shown(answer) })
    },
    that: (name, condition, expected, got) => {
      steps.push({ flow, name, expected, got: shown(got), ok: condition })
    },
  }
}
