import { count, max, money, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'
import { BANKS, EDGE, ORDERS } from './overview-edges.ts'
import { PROMISES } from './overview-promises.ts'

const GLANCE: Row = {
  title: 'Is anything wrong right now?',
  panels: [
    {
      title: 'Firing alerts',
      shows: 'Alerts of this namespace by severity; `critical` wakes somebody.',
      good: 'The watchdog and nothing else.',
      otherwise: 'Begin with critical ones; each has a runbook (docs/runbooks) and a panel that explains it.',
      unit: 'none',
      view: 'table',
      queries: [
        {
          expr: count(['alertname', 'severity', 'component', 'alertstate'], 'ALERTS{namespace=~"$namespace|"}'),
          legend: '',
        },
      ],
      width: 12,
      height: 10,
    },
    {
      title: 'Partitions not serving',
      shows: 'Partitions that exist and do not answer.',
      good: '0.',
      otherwise: 'The shards dashboard names them.',
      unit: 'count',
      view: 'number',
      queries: [
        {
          expr:
            `count(${max(['partition'], select('bourse_partition_serving'))}) - ` +
            `sum(${max(['partition'], select('bourse_partition_serving'))})`,
          legend: 'not serving',
        },
      ],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 5,
      seeAlso: ['bourse-shards'],
      alerts: ['BoursePartitionNotServed'],
    },
    {
      title: 'Ledger imbalance',
      shows: 'The largest imbalance of any currency in any partition.',
      good: '0.',
      otherwise: 'Money was lost or made: the runbook, at once.',
      unit: 'money',
      view: 'number',
      queries: [{ expr: money(`max(abs(${select('bourse_ledger_imbalance_units')}))`), legend: 'imbalance' }],
      limits: { bad: 'above', critical: 1e-8 },
      decimals: 8,
      width: 4,
      height: 5,
      seeAlso: ['bourse-money'],
      alerts: ['BourseLedgerImbalance'],
    },
    {
      title: 'Symbols without live prices',
      shows: 'Symbols whose feed brings nothing that may be traded on.',
      good: '0.',
      otherwise: 'Their markets refuse as PRICE_STALE; market data says why.',
      unit: 'count',
      view: 'number',
      queries: [
        {
          expr: `count(${select('bourse_market_feed_live')}) - sum(${select('bourse_market_feed_live')})`,
          legend: 'symbols',
        },
      ],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 5,
      seeAlso: ['bourse-market'],
      alerts: ['BourseFeedDead'],
    },
    {
      title: 'Servers away',
      shows: 'Connections to RabbitMQ, MongoDB and Redis that do not work.',
      good: '0.',
      otherwise: 'Broker and storage names the server and the process.',
      unit: 'count',
      view: 'number',
      queries: [
        {
          expr: `count(${select('bourse_server_connected')}) - sum(${select('bourse_server_connected')})`,
          legend: 'connections',
        },
      ],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 5,
      seeAlso: ['bourse-broker'],
      alerts: ['BourseServerAway'],
    },
    {
      title: 'Dead letters now',
      shows: 'Messages set aside because nobody could read them.',
      good: '0.',
      otherwise: '`npm run dlq` lists them; the runbook says what to do with them.',
      unit: 'count',
      view: 'number',
      queries: [{ expr: max([], select('bourse_bus_dead_letters')), legend: 'dead letters' }],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 5,
      seeAlso: ['bourse-broker'],
      alerts: ['BourseDeadLetters'],
    },
    {
      title: 'Processes down',
      shows: 'Scraped processes that did not answer.',
      good: '0.',
      otherwise: 'The Node dashboard names them.',
      unit: 'count',
      view: 'number',
      queries: [{ expr: `count(${select('up')}) - sum(${select('up')})`, legend: 'processes' }],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 5,
      seeAlso: ['bourse-node'],
      alerts: ['BourseTargetDown'],
    },
  ],
}

const MONEY: Row = {
  title: 'Money at a glance',
  panels: [
    {
      title: 'Money on its way',
      shows: 'Clearing over all partitions.',
      good: 'Comes back to 0.',
      otherwise: 'A level that stays is a stuck settlement.',
      unit: 'money',
      queries: [{ expr: money(sum(['currency'], select('bourse_ledger_clearing_units'))), legend: '{{currency}}' }],
      seeAlso: ['bourse-money'],
      alerts: ['BourseClearingNotZero'],
    },
    {
      title: 'Insurance',
      shows: 'What is left in the insurance fund.',
      good: 'Level or rising.',
      otherwise: 'Falling: deficits; see the money dashboard.',
      unit: 'money',
      queries: [
        {
          expr: money(sum(['currency'], select('bourse_ledger_system_units', { kind: 'insurance' }))),
          legend: '{{currency}}',
        },
      ],
      seeAlso: ['bourse-money'],
      alerts: ['BourseInsuranceFundLow'],
    },
    {
      title: 'Closes and deficits',
      shows: 'Trades closed a second by reason, and closes that left a deficit.',
      good: 'Clients; single liquidations; no deficits.',
      otherwise: 'A burst of liquidations: was the price real? See market data.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum(['reason'], rate('bourse_trading_closes_total')), legend: '{{reason}}' },
        { expr: sum([], rate('bourse_trading_deficits_total')), legend: 'deficits' },
      ],
      seeAlso: ['bourse-money', 'bourse-market'],
      alerts: ['BourseMassLiquidations', 'BourseDeficits'],
    },
  ],
}

/** Where the night begins. */
export const OVERVIEW: Dashboard = {
  uid: 'bourse-overview',
  title: 'Overview and SLO',
  description: 'Begin here: what fires, whether promises are kept, and each edge’s rate, errors and time.',
  choices: [],
  rows: [GLANCE, PROMISES, ORDERS, BANKS, EDGE, MONEY],
}
