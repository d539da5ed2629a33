import { OBJECTIVES, type Objective } from '../../../src/objectives/objectives.ts'
import type { RuleCase } from './case.ts'

const HOUR = 3_600

type Counters = Readonly<Record<string, (share: number) => number>>

const all = (): number => 10_000
const bad = (share: number): number => 10_000 * share
const good = (share: number): number => 10_000 * (1 - share)

/** What rises how fast for each objective when `share` of its events are bad; the feed is a gauge. */
const COUNTERS: Readonly<Record<string, Counters>> = {
  order_latency: {
    'bourse_order_duration_seconds_count{operation="OPEN"}': all,
    'bourse_order_duration_seconds_bucket{operation="OPEN",le="0.05"}': good,
    'bourse_order_duration_seconds_bucket{operation="OPEN",le="0.1"}': all,
  },
  bank_trade_latency: {
    'bourse_bank_trade_duration_seconds_count{side="BUY"}': all,
    'bourse_bank_trade_duration_seconds_bucket{side="BUY",le="2"}': good,
    'bourse_bank_trade_duration_seconds_bucket{side="BUY",le="5"}': all,
  },
  settlement: {
    'bourse_partition_settlement_seconds_count{partition="ledger/0"}': all,
    'bourse_partition_settlement_seconds_bucket{partition="ledger/0",le="2.5"}': good,
    'bourse_partition_settlement_seconds_bucket{partition="ledger/0",le="5"}': all,
  },
  order_availability: {
    'bourse_orders_total{operation="OPEN",outcome="failed"}': bad,
    'bourse_orders_total{operation="OPEN",outcome="accepted"}': good,
  },
  bank_trade_availability: {
    'bourse_bank_trades_total{bank="b",side="BUY",outcome="failed"}': bad,
    'bourse_bank_trades_total{bank="b",side="BUY",outcome="refused"}': good,
  },
  http_availability: {
    'bourse_http_requests_total{route="/engine",method="POST",status="503"}': all,
    'bourse_http_refusals_total{code="UNAVAILABLE"}': bad,
    'bourse_http_refusals_total{code="PRICE_STALE"}': good,
  },
}

/** Series of phases, each so many values long with a share of bad events. */
const seriesOf = (name: string, phases: readonly (readonly [share: number, values: number])[]): RuleCase['series'] => {
  if (name === 'price_freshness')
    return {
      'bourse_market_feed_live{symbol="BTC_USDC"}': phases.map(([share, values]) => `${1 - share}x${values}`).join(' '),
    }
  return Object.fromEntries(
    Object.entries(COUNTERS[name] ?? {}).map(([series, speed]) => {
      let value = 0
      const parts = phases.map(([share, values]) => {
        const [from, step] = [value, Math.round(speed(share))]
        value += step * (values + 1)
        return `${from}+${step}x${values}`
      })
      return [series, parts.join(' ')]
    }),
  )
}

const casesOf = ({ name, alertPrefix, target }: Objective): readonly RuleCase[] => {
  const alert = `${alertPrefix}BudgetBurn`
  const slow = 4.5 * (1 - target)
  const critical = (long: string) => ({ severity: 'critical', objective: name, long })
  const warning = (long: string) => ({ severity: 'warning', objective: name, long })
  const fast: RuleCase[] = [
    {
      alert,
      when: 'when all is bad for some minutes',
      series: seriesOf(name, [[1, 40]]),
      atSeconds: 480,
      fires: [critical('1h')],
    },
    { alert, when: 'when all is well', series: seriesOf(name, [[0, 160]]), atSeconds: 2_400, fires: [] },
    {
      alert,
      when: 'half an hour after ten bad minutes',
      series: seriesOf(name, [
        [1, 40],
        [0, 160],
      ]),
      atSeconds: 2_820,
      fires: [],
    },
    {
      alert,
      when: 'in the first bad minute',
      series: seriesOf(name, [
        [0, 160],
        [1, 4],
      ]),
      atSeconds: 2_460,
      fires: [],
    },
  ]
  const slowly: RuleCase = {
    alert,
    when: 'when four and a half times too much is bad for five hours',
    series: seriesOf(name, [[slow, 60]]),
    intervalSeconds: 300,
    atSeconds: 5 * HOUR,
    fires: [warning('1d'), warning('3d')],
  }
  const sixfold: RuleCase = {
    alert,
    when: 'when eight times too much is bad for most of an hour',
    series: seriesOf(name, [[8 * (1 - target), 24]]),
    intervalSeconds: 300,
    atSeconds: 3_300,
    fires: [critical('6h')],
  }
  const idle: RuleCase = {
    alert,
    when: 'without any traffic',
    series:
      name === 'price_freshness'
        ? {}
        : Object.fromEntries(Object.keys(COUNTERS[name] ?? {}).map((series) => [series, '7x40'])),
    atSeconds: 600,
    fires: [],
  }
  return [...fast, slowly, sixfold, idle]
}

/** Situations of every promise. */
export const SLO_CASES: readonly RuleCase[] = OBJECTIVES.flatMap(casesOf)
