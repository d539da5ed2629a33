/** While `sources` fire, nobody hears of `targets` whose labels `equal` are the same. Alertmanager’s matchers. */
export interface Inhibition {
  readonly sources: readonly string[]
  readonly targets: readonly string[]
  readonly equal: readonly string[]
}

const alertnames = (...names: readonly string[]): string => `alertname=~"${names.join('|')}"`

/** Promises that hang on each kind of partition; a matcher for their alerts. */
const BROKEN_BY = {
  ledger: 'objective!="price_freshness"',
  trading: 'objective=~"order_.+|settlement|http_availability"',
  bridge: 'objective=~"bank_trade_.+|settlement|http_availability"',
} as const

/** What every partition stands on, and how its failure is told. */
const FOUNDATIONS: readonly (readonly string[])[] = [
  [alertnames('BourseServerAway'), 'server=~"rabbitmq|mongodb"'],
  [alertnames('BourseBrokerBlocked', 'BourseDiskAlmostFull')],
]

/**
 * Only what the cause can bring about is silenced: a bank's trades that fail while a trading partition is away, or a gateway that
 * vanishes while Redis is, are second failures, and somebody has to hear of them.
 */
const CAUSES: readonly Inhibition[] = [
  ...FOUNDATIONS.flatMap((sources): readonly Inhibition[] => [
    { sources, targets: ['component="slo"', 'objective!="price_freshness"'], equal: ['namespace'] },
    { sources, targets: [alertnames('BoursePartitionNotServed', 'BoursePartitionStuck')], equal: ['namespace'] },
    {
      sources,
      targets: [alertnames('BourseMetricsAbsent'), 'program=~"ledger|trading|bridge"'],
      equal: ['namespace'],
    },
  ]),
  // Prices travel over Redis; where they can not be journaled they grow old, too.
  {
    sources: [alertnames('BourseServerAway'), 'server=~"redis|mongodb"'],
    targets: [alertnames('BoursePriceStale')],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BourseDiskAlmostFull')],
    targets: [alertnames('BoursePriceStale')],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BourseServerAway'), 'server="redis"'],
    targets: ['component="slo"', 'objective=~".+_latency|price_freshness"'],
    equal: ['namespace'],
  },
  ...Object.entries(BROKEN_BY).flatMap(([kind, objectives]): readonly Inhibition[] => [
    {
      sources: [alertnames('BoursePartitionNotServed', 'BoursePartitionStuck'), `partition=~"${kind}/.+"`],
      targets: ['component="slo"', objectives],
      equal: ['namespace'],
    },
    {
      sources: [alertnames('BourseMetricsAbsent'), `program="${kind}"`],
      targets: ['component="slo"', objectives],
      equal: ['namespace'],
    },
    {
      sources: [alertnames('BoursePartitionNotServed'), `partition=~"${kind}/.+"`],
      targets: [alertnames('BourseMetricsAbsent'), `program="${kind}"`],
      equal: ['namespace'],
    },
  ]),
  {
    sources: [alertnames('BourseMetricsAbsent'), 'program="gateway"'],
    targets: ['component="slo"', 'objective=~"order_.+|bank_trade_.+|http_availability"'],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BoursePartitionNotServed')],
    targets: [alertnames('BoursePartitionStuck')],
    equal: ['namespace', 'partition'],
  },
]

/** One failure, one page: who was told the cause is not told each symptom. */
export const INHIBITIONS: readonly Inhibition[] = [
  ...CAUSES,
  {
    sources: [alertnames('BourseFeedDead')],
    targets: [alertnames('BoursePriceStale')],
    equal: ['namespace', 'symbol'],
  },
  {
    sources: [alertnames('BourseMetricsAbsent'), 'program="market"'],
    targets: [alertnames('BoursePriceStale', 'BoursePriceFreshnessBudgetBurn')],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BourseFeedDead', 'BoursePriceStale')],
    targets: [alertnames('BoursePriceFreshnessBudgetBurn')],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BourseExchangeDown')],
    targets: [alertnames('BourseBankTradeLatencyBudgetBurn', 'BourseBankTradeAvailabilityBudgetBurn')],
    equal: ['namespace'],
  },
  // Failed orders are slow orders and failed requests too.
  {
    sources: [alertnames('BourseOrderAvailabilityBudgetBurn'), 'severity="critical"'],
    targets: [
      alertnames('BourseOrderLatencyBudgetBurn', 'BourseHttpAvailabilityBudgetBurn', 'BourseSettlementBudgetBurn'),
    ],
    equal: ['namespace'],
  },
  {
    sources: [alertnames('BourseBankTradeAvailabilityBudgetBurn'), 'severity="critical"'],
    targets: [alertnames('BourseBankTradeLatencyBudgetBurn', 'BourseHttpAvailabilityBudgetBurn')],
    equal: ['namespace'],
  },
  // The same promise, broken more slowly.
  { sources: ['severity="critical"'], targets: ['severity=~"warning|info"'], equal: ['namespace', 'alertname'] },
  {
    sources: [alertnames('BourseServerAway')],
    targets: [alertnames('BourseConnectionLost', 'BourseDatabaseFailing', 'BourseCacheFailing')],
    equal: ['namespace', 'server'],
  },
]
