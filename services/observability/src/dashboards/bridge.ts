import { CHOICES } from './choices.ts'
import { max, quantile, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'

const BANK = { bank: '=~$bank' } as const

const EDGE: Row = {
  title: 'Do banks get what they ask for?',
  panels: [
    {
      title: 'Bank trades by outcome',
      alerts: ['BourseBankTradeAvailabilityBudgetBurn'],
      shows:
        'Buys and sells of banks a second: completed, refused, pending (no clear end in time), failed (our own doing).',
      good: 'Completed, with refusals now and then; nothing failed.',
      otherwise: 'Failed: see the shards. Pending: the exchange gives no clear answer, see calls below.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['bank', 'outcome'], rate('bourse_bank_trades_total', BANK)),
          legend: '{{bank}} {{outcome}}',
        },
      ],
      seeAlso: ['bourse-shards'],
    },
    {
      title: 'Time until decided',
      alerts: ['BourseBankTradeLatencyBudgetBurn'],
      shows: 'p50 and p99 of a bank trade, from its request until it was decided.',
      good: 'p99 below 2 s.',
      otherwise: 'Compare the calls to exchanges and banks below: one of them is what takes the time.',
      unit: 'seconds',
      queries: [
        { expr: quantile(0.5, 'bourse_bank_trade_duration_seconds', ['side']), legend: '{{side}} p50' },
        { expr: quantile(0.99, 'bourse_bank_trade_duration_seconds', ['side']), legend: '{{side}} p99' },
      ],
      limits: { bad: 'above', warning: 1, critical: 2 },
    },
    {
      title: 'Refusals of bank calls',
      shows: 'Calls of banks that were refused, by code.',
      good: 'Codes that lie with the bank’s customer (BANK_DECLINED, an expired quote).',
      otherwise:
        'INSUFFICIENT_LIQUIDITY: the exchange. BANK_CONNECTION_ERROR: the bank. UNAUTHORIZED: its key. UNAVAILABLE: us.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['bank', 'code'], rate('bourse_bank_refusals_total', BANK)),
          legend: '{{bank}} {{code}}',
        },
      ],
    },
    {
      title: 'Quotes for banks',
      shows: 'Quotes asked by banks a second: given or refused.',
      good: 'All given.',
      otherwise: 'Refused: no fresh price or no answer of the exchange’s ticker.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['bank', 'outcome'], rate('bourse_bank_quotes_total', BANK)),
          legend: '{{bank}} {{outcome}}',
        },
      ],
      seeAlso: ['bourse-market'],
    },
  ],
}

const UNDER_WAY: Row = {
  title: 'Is anything stuck?',
  panels: [
    {
      title: 'Trades under way',
      shows: 'Bank trades without an end, by partition.',
      good: 'As many as are asked for in a few seconds.',
      otherwise: 'Grows: calls are not answered. Each keeps its hold; nothing is lost and nothing is repeated blindly.',
      unit: 'count',
      queries: [{ expr: sum(['partition'], select('bourse_bridge_pending_trades')), legend: '{{partition}}' }],
    },
    {
      title: 'Oldest trade under way',
      alerts: ['BourseBankTradesPending'],
      shows: 'Age of the oldest bank trade without an end.',
      good: 'Below 15 s.',
      otherwise: 'The exchange can not say what became of an order. Ask it about the order’s id (`npm run inspect`).',
      unit: 'seconds',
      queries: [{ expr: max(['partition'], select('bourse_bridge_oldest_pending_seconds')), legend: '{{partition}}' }],
      limits: { bad: 'above', warning: 15, critical: 60 },
    },
    {
      title: 'Events a bank has not taken',
      alerts: ['BourseWebhooksNotTaken'],
      shows: 'Webhooks and reversals without the bank’s acknowledgement.',
      good: '0, or a few that pass at once.',
      otherwise: 'The bank’s endpoint is down: tell the bank. At 100,000 its new calls are refused UNAVAILABLE.',
      unit: 'count',
      queries: [{ expr: sum(['bank'], select('bourse_bridge_webhooks_waiting', BANK)), legend: '{{bank}}' }],
      limits: { bad: 'above', warning: 100, critical: 10000 },
    },
  ],
}

const CALLS: Row = {
  title: 'Who does not answer: a bank or an exchange?',
  panels: [
    {
      title: 'Calls by outcome',
      alerts: ['BourseExchangeDown', 'BourseExchangeRejecting', 'BourseBankDown'],
      shows: 'Calls to exchanges and banks a second: answered, declined or failed (no clear answer).',
      good: 'Answered.',
      otherwise:
        'Failed at one target and operation names who is down; declined in numbers: they refuse us on purpose, call them.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['target', 'operation', 'outcome'], rate('bourse_bridge_calls_total')),
          legend: '{{target}} {{operation}} {{outcome}}',
        },
      ],
      width: 12,
    },
    {
      title: 'Time of calls',
      shows: 'p99 of calls to exchanges and banks, repeats within a call included.',
      good: 'Below 500 ms.',
      otherwise: 'The slow target is outside of this house: their status page, then their desk.',
      unit: 'seconds',
      queries: [
        {
          expr: quantile(0.5, 'bourse_bridge_call_duration_seconds', ['target', 'operation']),
          legend: '{{target}} {{operation}} p50',
        },
        {
          expr: quantile(0.99, 'bourse_bridge_call_duration_seconds', ['target', 'operation']),
          legend: '{{target}} {{operation}} p99',
        },
      ],
      limits: { bad: 'above', warning: 0.5, critical: 2 },
      width: 12,
    },
    {
      title: 'Trades that ended',
      alerts: ['BourseBankDeclining', 'BourseBankDown'],
      shows: 'Bank trades that came to their end in the bridge, by outcome.',
      good: 'COMPLETED.',
      otherwise:
        'The code is what the bank was told; BANK_DECLINED is the customer’s, all others have a row in docs/failure-modes.md.',
      unit: 'requestsPerSecond',
      queries: [
        {
          expr: sum(['bank', 'side', 'outcome'], rate('bourse_bridge_trades_total', BANK)),
          legend: '{{bank}} {{side}} {{outcome}}',
        },
      ],
      width: 12,
    },
  ],
}

/** Banks, exchanges and the trades between them. */
export const BRIDGE: Dashboard = {
  uid: 'bourse-bridge',
  title: 'Bridge and banks',
  description: 'Do banks get what they ask for, is anything stuck, and which bank or exchange does not answer.',
  choices: [CHOICES.bank],
  rows: [EDGE, UNDER_WAY, CALLS],
}
