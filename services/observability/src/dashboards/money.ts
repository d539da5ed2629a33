import { CHOICES } from './choices.ts'
import { money, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'
import { MARKETS } from './money-markets.ts'

const CURRENCY = { currency: '=~$currency' } as const

const SAFETY: Row = {
  title: 'Is any money missing?',
  panels: [
    {
      title: 'Imbalance',
      alerts: ['BourseLedgerImbalance'],
      shows: 'Sum of all accounts of a currency, by partition: double entry keeps it at exactly 0.',
      good: '0. Nothing else, ever.',
      otherwise:
        'Money was lost or made. Stop orders of the partition (halt its markets), keep its journal, run `npm ' +
        'run verify` on a copy; follow the runbook.',
      unit: 'money',
      queries: [
        {
          expr: money(`max by (partition, currency) (abs(${select('bourse_ledger_imbalance_units', CURRENCY)}))`),
          legend: '{{partition}} {{currency}}',
        },
      ],
      limits: { bad: 'above', critical: 1e-8 },
      decimals: 8,
      width: 12,
    },
    {
      title: 'Clearing',
      alerts: ['BourseClearingNotZero'],
      shows: 'Balance of the clearing accounts over all partitions: money on its way between them.',
      good: 'Comes back to 0 again and again; it is 0 whenever nothing is under way.',
      otherwise:
        'A level that stays: a settlement is stuck. Find the partition with unconfirmed effects on the shards dashboard.',
      unit: 'money',
      queries: [
        { expr: money(sum(['currency'], select('bourse_ledger_clearing_units', CURRENCY))), legend: '{{currency}}' },
      ],
      width: 12,
      seeAlso: ['bourse-shards'],
    },
  ],
}

const FUNDS: Row = {
  title: 'Who bears losses, and how much is left?',
  panels: [
    {
      title: 'Insurance fund',
      alerts: ['BourseInsuranceFundLow'],
      shows: 'What is left to bear deficits of customers.',
      good: 'Level or rising: liquidation fees go in.',
      otherwise:
        'Falling: see deficits and liquidations below. At 0 the house bears the rest; tell treasury before that.',
      unit: 'money',
      queries: [
        {
          expr: money(sum(['currency'], select('bourse_ledger_system_units', { ...CURRENCY, kind: 'insurance' }))),
          legend: '{{currency}}',
        },
      ],
    },
    {
      title: 'House',
      shows: 'Balance of the house’s accounts: the other side of every trade.',
      good: 'Moves with customers’ profits and losses, within what was put in.',
      otherwise:
        'Falls steadily: compare the exposure; hedge or narrow the market’s limits. At its limit opens are refused.',
      unit: 'money',
      queries: [
        {
          expr: money(sum(['currency'], select('bourse_ledger_system_units', { ...CURRENCY, kind: 'house' }))),
          legend: '{{currency}}',
        },
      ],
    },
    {
      title: 'Fees and spread earned',
      shows: 'Balances of the fee and spread accounts.',
      good: 'Rise with trades.',
      otherwise: 'Level while trades are opened: compare the fees of the pair’s manifest.',
      unit: 'money',
      queries: [
        {
          expr: money(
            sum(['currency', 'kind'], select('bourse_ledger_system_units', { ...CURRENCY, kind: '=~fees|spread' })),
          ),
          legend: '{{kind}} {{currency}}',
        },
      ],
    },
    {
      title: 'Exchange and omnibus accounts',
      shows: 'What exchanges owe the house, and what is kept for customers of banks.',
      good: 'Follow completed bank trades.',
      otherwise: 'Away from what the exchange’s own statement says: reconcile before the next business day.',
      unit: 'money',
      queries: [
        {
          expr: money(
            sum(
              ['currency', 'kind'],
              select('bourse_ledger_system_units', { ...CURRENCY, kind: '!~house|insurance|fees|spread' }),
            ),
          ),
          legend: '{{kind}} {{currency}}',
        },
      ],
    },
    {
      title: 'Holds',
      alerts: ['BourseHoldsNearLimit'],
      shows: 'Open holds by partition: margins of open trades, fees and bank trades under way.',
      good: 'About as many as open trades.',
      otherwise:
        'Grows while trades do not: releases are stuck. 262,144 is the table’s limit; beyond it CAPACITY_EXCEEDED.',
      unit: 'count',
      queries: [{ expr: sum(['partition'], select('bourse_ledger_holds')), legend: '{{partition}}' }],
      limits: { bad: 'above', warning: 209715, critical: 262144 },
      seeAlso: ['bourse-shards'],
    },
    {
      title: 'Locked',
      shows: 'Money locked by holds.',
      good: 'Follows the margin of open trades.',
      otherwise:
        'Stays high after trades were closed: holds were not released, see settlement on the shards dashboard.',
      unit: 'money',
      queries: [
        { expr: money(sum(['currency'], select('bourse_ledger_locked_units', CURRENCY))), legend: '{{currency}}' },
      ],
      seeAlso: ['bourse-shards'],
    },
  ],
}

/** Double entry, holds, funds and what markets do to them. */
export const MONEY: Dashboard = {
  uid: 'bourse-money',
  title: 'Ledger and money safety',
  description: 'Is any money missing, who bears losses and how much is left, what happens in the markets.',
  choices: [CHOICES.currency, CHOICES.pair],
  rows: [SAFETY, FUNDS, MARKETS],
}
