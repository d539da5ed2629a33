/** Pages that speak of broken promises, by what they are a consequence of. */

/** Orders can not be taken, or late. */
export const ORDER_PAGES = [
  'BourseOrderLatencyBudgetBurn',
  'BourseOrderAvailabilityBudgetBurn',
  'BourseHttpAvailabilityBudgetBurn',
  'BourseSettlementBudgetBurn',
] as const

/** Bank trades can not be decided, or late. */
export const BANK_PAGES = ['BourseBankTradeLatencyBudgetBurn', 'BourseBankTradeAvailabilityBudgetBurn'] as const

/** Prices do not arrive. */
export const PRICE_PAGES = ['BourseFeedDead', 'BoursePriceStale', 'BoursePriceFreshnessBudgetBurn'] as const

/** A partition, or all of them, do not get on. */
export const PARTITION_PAGES = ['BoursePartitionNotServed', 'BoursePartitionStuck'] as const

/** What everybody who trades notices. */
export const TRADING_PAGES = [...ORDER_PAGES, ...BANK_PAGES, ...PARTITION_PAGES] as const

/** Pages that a machine with too much else to do causes by itself: it is slow, and its scrapes run out of their half second. */
export const SLOWNESS_PAGES: readonly string[] = [
  'BourseOrderLatencyBudgetBurn',
  'BourseBankTradeLatencyBudgetBurn',
  'BourseSettlementBudgetBurn',
  'BoursePartitionStuck',
  'BoursePartitionNotServed',
  'BourseMetricsAbsent',
]
