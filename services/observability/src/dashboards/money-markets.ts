import { max, money, rate, select, sum } from './promql.ts'
import type { Panel, Row } from './specification.ts'

const PAIR = { symbol: '=~$pair' } as const

const market = (
  words: Pick<Panel, 'title' | 'shows' | 'good' | 'otherwise' | 'alerts'>,
  rest: Pick<Panel, 'unit' | 'queries'> & Partial<Panel>,
): Panel => ({ ...words, ...rest })

/** Trades, exposure, liquidations and deficits of the markets. */
export const MARKETS: Row = {
  title: 'What happens in the markets?',
  panels: [
    market(
      {
        title: 'Exposure',
        shows: 'Net quantity of open trades: longs less shorts, what the house is short of.',
        good: 'Small beside the open interest, or hedged.',
        otherwise: 'One-sided and growing: a move of the price costs the house this times the move. Tell the desk.',
      },
      {
        unit: 'money',
        queries: [
          {
            expr: money(sum(['symbol'], select('bourse_trading_exposure_units', PAIR))),
            legend: '{{symbol}}',
          },
        ],
      },
    ),
    market(
      {
        title: 'Open trades',
        shows: 'Open trades by market.',
        good: 'Changes slowly.',
        otherwise: 'A cliff: liquidations or a halt; see the closes by reason.',
      },
      {
        unit: 'count',
        queries: [{ expr: sum(['symbol'], select('bourse_trading_open_trades', PAIR)), legend: '{{symbol}}' }],
      },
    ),
    market(
      {
        title: 'Margin of open trades',
        shows: 'Margin that customers have put in.',
        good: 'Follows open trades.',
        otherwise: 'Differs from “Locked” for long: holds and trades disagree, follow the runbook of the imbalance.',
      },
      {
        unit: 'money',
        queries: [
          {
            expr: money(sum(['symbol'], select('bourse_trading_margin_units', PAIR))),
            legend: '{{symbol}}',
          },
        ],
      },
    ),
    market(
      {
        title: 'Opens',
        shows: 'Trades opened a second, by direction.',
        good: 'Both directions.',
        otherwise: 'None: markets halted, prices stale, or orders fail at the edge; see the overview.',
      },
      {
        unit: 'requestsPerSecond',
        queries: [
          {
            expr: sum(['symbol', 'direction'], rate('bourse_trading_opens_total', PAIR)),
            legend: '{{symbol}} {{direction}}',
          },
        ],
        seeAlso: ['bourse-overview'],
      },
    ),
    market(
      {
        title: 'Closes by reason',
        alerts: ['BourseMassLiquidations'],
        shows: 'Trades closed a second: by the client, at a stop, at a target, by liquidation, by an administrator.',
        good: 'Mostly clients; liquidations few and single.',
        otherwise:
          'A burst of liquidations: look whether the price was right (market data). `npm run inspect` explains any single one.',
      },
      {
        unit: 'requestsPerSecond',
        queries: [
          {
            expr: sum(['symbol', 'reason'], rate('bourse_trading_closes_total', PAIR)),
            legend: '{{symbol}} {{reason}}',
          },
        ],
        seeAlso: ['bourse-market'],
      },
    ),
    market(
      {
        title: 'Refusals of markets',
        alerts: ['BoursePriceStale'],
        shows: 'Opens and closes that a market refused, by code.',
        good: 'Reasons that lie with the customer.',
        otherwise: 'PRICE_STALE: the feed. MARKET_HALTED: somebody halted it. CAPACITY_EXCEEDED: its table is full.',
      },
      {
        unit: 'requestsPerSecond',
        queries: [
          {
            expr: sum(['symbol', 'code'], rate('bourse_trading_refusals_total', PAIR)),
            legend: '{{symbol}} {{code}}',
          },
        ],
        seeAlso: ['bourse-market'],
      },
    ),
    market(
      {
        title: 'Deficits',
        alerts: ['BourseDeficits'],
        shows: 'Closes a second that left a deficit.',
        good: '0.',
        otherwise:
          'The price gapped through liquidation prices. Check that the quotes were real, then the insurance fund.',
      },
      {
        unit: 'eventsPerSecond',
        queries: [{ expr: sum(['symbol'], rate('bourse_trading_deficits_total', PAIR)), legend: '{{symbol}}' }],
        seeAlso: ['bourse-market'],
      },
    ),
    market(
      {
        title: 'Money of deficits',
        shows: 'Deficits since the processes started.',
        good: 'Flat.',
        otherwise: 'A step is what the house and the insurance fund have borne at that moment.',
      },
      {
        unit: 'money',
        queries: [
          {
            expr: money(sum(['symbol'], select('bourse_trading_deficit_units_total', PAIR))),
            legend: '{{symbol}}',
          },
        ],
      },
    ),
    market(
      {
        title: 'Halted',
        alerts: ['BourseMarketHalted'],
        shows: '1 while a market takes no orders.',
        good: '0.',
        otherwise: 'Somebody halted it: the audit says who and why. It opens again with the administrator’s reopen.',
      },
      {
        unit: 'none',
        view: 'states',
        words: { 0: { text: 'open', color: 'green' }, 1: { text: 'halted', color: 'red' } },
        queries: [{ expr: max(['symbol'], select('bourse_trading_halted', PAIR)), legend: '{{symbol}}' }],
      },
    ),
  ],
}
