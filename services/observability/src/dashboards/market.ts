import { CHOICES, YES_IS_GOOD } from './choices.ts'
import { max, min, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'

const PAIR = { symbol: '=~$pair' } as const

const SYMPTOMS: Row = {
  title: 'Are there prices that may be traded on?',
  panels: [
    {
      title: 'Feeds live',
      alerts: ['BourseFeedDead', 'BoursePriceFreshnessBudgetBurn'],
      shows: 'Each symbol: whether its feed brings quotes that may be traded on.',
      good: 'Green.',
      otherwise:
        'Its market refuses opens and closes as PRICE_STALE and liquidates nothing. See age, rejects and faults.',
      unit: 'none',
      view: 'states',
      words: YES_IS_GOOD,
      queries: [{ expr: min(['symbol'], select('bourse_market_feed_live', PAIR)), legend: '{{symbol}}' }],
      width: 12,
    },
    {
      title: 'Age of prices',
      alerts: ['BoursePriceStale'],
      shows: 'Since the last believed quote.',
      good: 'Below a second.',
      otherwise: 'Rising straight: nothing arrives (source faults) or nothing is believed (rejected quotes).',
      unit: 'seconds',
      queries: [{ expr: max(['symbol'], select('bourse_market_feed_age_seconds', PAIR)), legend: '{{symbol}}' }],
      limits: { bad: 'above', warning: 2, critical: 5 },
      width: 12,
    },
  ],
}

const CAUSES: Row = {
  title: 'Why not?',
  panels: [
    {
      title: 'Quotes published',
      shows: 'Quotes a second, by symbol.',
      good: 'As many as the source usually has.',
      otherwise: 'One symbol at nothing: its source. All: the process, Redis or the network out.',
      unit: 'messagesPerSecond',
      queries: [{ expr: sum(['symbol'], rate('bourse_market_quotes_total', PAIR)), legend: '{{symbol}}' }],
      seeAlso: ['bourse-broker'],
    },
    {
      title: 'Rejected quotes',
      alerts: ['BourseQuotesRejected'],
      shows: 'Quotes that were not believed, by reason.',
      good: 'Nothing, or single jumps that the third quote in a row confirms.',
      otherwise:
        'stale: the source or a clock lags. jump: compare another venue before you widen maxJumpBps. crossed, ' +
        'absurd: halt the market and tell the source.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['symbol', 'reason'], rate('bourse_market_rejected_total', PAIR)),
          legend: '{{symbol}} {{reason}}',
        },
      ],
    },
    {
      title: 'Source faults',
      alerts: ['BourseFeedFaults'],
      shows: 'Gaps, garbage, silence and lost connections of price sources.',
      good: 'None.',
      otherwise:
        'It connects again by itself with pauses up to 30 s; when it does not, the source is down or refuses us.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['symbol', 'fault'], rate('bourse_market_source_faults_total', PAIR)),
          legend: '{{symbol}} {{fault}}',
        },
      ],
    },
    {
      title: 'Spread',
      shows: 'Spread of the last believed quote over its middle.',
      good: 'Steady.',
      otherwise: 'Wide: the market itself is thin. Customers pay it; consider a halt before a liquidation wave.',
      unit: 'ratio',
      queries: [{ expr: max(['symbol'], select('bourse_market_spread_ratio', PAIR)), legend: '{{symbol}}' }],
      decimals: 4,
    },
    {
      title: 'WebSocket readers',
      alerts: ['BourseWebSocketsRefused'],
      shows: 'Open WebSockets, by gateway.',
      good: 'Follows the day.',
      otherwise: 'A cliff: a gateway restarted or its readers were closed for slowness.',
      unit: 'count',
      queries: [{ expr: sum(['pod'], select('bourse_ws_sockets')), legend: '{{pod}}' }],
    },
    {
      title: 'Readers that do not keep up',
      alerts: ['BourseSlowReaders', 'BourseWebSocketsRefused'],
      shows: 'Quotes left out for a newer one, sockets closed for slowness, upgrades refused.',
      good: 'Some conflation, nothing closed.',
      otherwise:
        'Closed in numbers: the network between, or clients that stopped reading. Refused: the capacity is reached.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum(['pod'], rate('bourse_ws_prices_conflated_total')), legend: '{{pod}} conflated' },
        { expr: sum(['pod'], rate('bourse_ws_slow_readers_closed_total')), legend: '{{pod}} closed' },
        { expr: sum(['pod', 'reason'], rate('bourse_ws_refused_total')), legend: '{{pod}} refused {{reason}}' },
      ],
    },
  ],
}

const EFFECTS: Row = {
  title: 'What do markets make of it?',
  panels: [
    {
      title: 'Markets halted',
      alerts: ['BourseMarketHalted'],
      shows: 'Each market: whether it takes orders.',
      good: 'Open.',
      otherwise: 'Somebody halted it, and the audit says who; it opens again with the administrator’s reopen.',
      unit: 'none',
      view: 'states',
      words: { 0: { text: 'open', color: 'green' }, 1: { text: 'halted', color: 'red' } },
      queries: [{ expr: max(['symbol'], select('bourse_trading_halted', PAIR)), legend: '{{symbol}}' }],
    },
    {
      title: 'Liquidations and stops',
      alerts: ['BourseMassLiquidations'],
      shows: 'Trades that the price closed, a second: at a stop, at a target, by liquidation.',
      good: 'A few with each move of the price.',
      otherwise: 'A burst: compare another venue. Was the price real? If not, halt the market before the next quote.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['symbol', 'reason'], rate('bourse_trading_closes_total', { ...PAIR, reason: '!=client' })),
          legend: '{{symbol}} {{reason}}',
        },
      ],
      seeAlso: ['bourse-money'],
    },
    {
      title: 'Orders refused for the market',
      alerts: ['BoursePriceStale'],
      shows: 'Opens and closes a second that a market refused because of its prices or its state.',
      good: '0.',
      otherwise: 'PRICE_STALE: see the age of prices above. MARKET_HALTED: see the audit.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(
            ['symbol', 'code'],
            rate('bourse_trading_refusals_total', { ...PAIR, code: '=~PRICE_STALE|MARKET_HALTED' }),
          ),
          legend: '{{symbol}} {{code}}',
        },
      ],
    },
  ],
}

/** Prices: from their source to the readers. */
export const MARKET: Dashboard = {
  uid: 'bourse-market',
  title: 'Market data',
  description: 'Are there prices that may be traded on, and if not, why.',
  choices: [CHOICES.pair],
  rows: [SYMPTOMS, CAUSES, EFFECTS],
}
