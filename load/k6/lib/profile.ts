import type { Options, Scenario, Threshold } from 'k6/options'
import { bankKey, rateFactor, timeFactor } from './settings.ts'

/** A stage: the multiple of the base rate that it ends with, and its length in seconds. */
export interface Stage {
  readonly times: number
  readonly seconds: number
}

/** What one profile asks of the platform. */
export interface Profile {
  /** The multiple of the base rate that the run begins with. */
  readonly startTimes: number
  readonly stages: readonly Stage[]
  /** All bounds of latency are multiplied by it: a burst may wait longer. */
  readonly patience: number
}

/** Iterations per second of each scenario at 1 ×, and the bounds of its requests in ms. */
const SCENARIOS = {
  newcomer: { rate: 1, p95: 1_000, p99: 2_000 },
  trading: { rate: 10, p95: 250, p99: 500 },
  banks: { rate: 4, p95: 1_000, p99: 2_000 },
  readers: { rate: 10, p95: 100, p99: 250 },
  subscribers: { rate: 2, p95: 0, p99: 0 },
} as const
type ScenarioName = keyof typeof SCENARIOS

/** Virtual users made before the start, and at most, for each iteration per second. */
const USERS_PER_RATE = 3
const USERS_PER_RATE_MAX = 20
/** A subscriber's iteration lasts as long as it stays, s, and some more. */
const SUBSCRIBER_SECONDS = 12

/** Rates are whole numbers for each of these. */
const TIME_UNIT_SECONDS = 10

const named = (): readonly ScenarioName[] =>
  (Object.keys(SCENARIOS) as ScenarioName[]).filter((name) => name !== 'banks' || bankKey !== '')

const scenarioOf = (name: ScenarioName, { startTimes, stages }: Profile): Scenario => {
  const perSecond = SCENARIOS[name].rate * rateFactor
  const target = (times: number): number => Math.max(1, Math.round(perSecond * times * TIME_UNIT_SECONDS))
  const most = Math.max(startTimes, ...stages.map(({ times }) => times)) * perSecond
  const usersOf = (each: number): number =>
    Math.ceil(Math.max(most, 1) * (name === 'subscribers' ? SUBSCRIBER_SECONDS : each))
  return {
    executor: 'ramping-arrival-rate',
    exec: name,
    startRate: target(startTimes),
    timeUnit: `${TIME_UNIT_SECONDS}s`,
    preAllocatedVUs: usersOf(USERS_PER_RATE),
    maxVUs: usersOf(USERS_PER_RATE_MAX),
    stages: stages.map(({ times, seconds }) => ({
      target: target(times),
      duration: `${Math.max(1, Math.round(seconds * timeFactor))}s`,
    })),
    gracefulStop: '30s',
  }
}

const thresholdsOf = ({ patience }: Profile): Record<string, Threshold[]> => {
  const thresholds: Record<string, Threshold[]> = {
    http_req_failed: ['rate<0.001'],
    dropped_iterations: ['count==0'],
    checks: ['rate>0.999'],
    books_faults: ['count==0'],
    books_traders: ['value>0'],
    'checks{scenario:subscribers}': ['rate>0.99'],
  }
  for (const name of named()) {
    const { p95, p99 } = SCENARIOS[name]
    thresholds[`iterations{scenario:${name}}`] = ['count>0']
    if (p95 === 0) continue
    thresholds[`http_req_failed{scenario:${name}}`] = ['rate<0.001']
    thresholds[`http_req_duration{scenario:${name}}`] = [`p(95)<${p95 * patience}`, `p(99)<${p99 * patience}`]
  }
  return thresholds
}

/** The options of a profile: every scenario with an open-model arrival rate, bounds for each. */
export const optionsOf = (profile: Profile): Options => ({
  scenarios: Object.fromEntries(named().map((name) => [name, scenarioOf(name, profile)])),
  thresholds: thresholdsOf(profile),
  summaryTrendStats: ['min', 'med', 'p(95)', 'p(99)', 'max'],
  setupTimeout: '300s',
  teardownTimeout: '600s',
  noCookiesReset: false,
  userAgent: 'bourse-load/1',
})
