import {
  BURN_WINDOWS,
  OBJECTIVES,
  budgetRemainingSeries,
  burnRateSeries,
  type Objective,
} from '../objectives/objectives.ts'
import { NAMESPACE } from './promql.ts'
import type { DashboardUid, Panel, Row } from './specification.ts'

const SHORTEST = BURN_WINDOWS[0]!

/** Where to look when a promise breaks. */
const CAUSE_OF: Readonly<Record<string, readonly DashboardUid[]>> = {
  order_latency: ['bourse-shards'],
  bank_trade_latency: ['bourse-bridge'],
  price_freshness: ['bourse-market'],
  settlement: ['bourse-shards', 'bourse-money'],
  order_availability: ['bourse-shards', 'bourse-broker'],
  bank_trade_availability: ['bourse-bridge', 'bourse-shards'],
  http_availability: ['bourse-broker', 'bourse-node'],
}

/** What is left of an objective’s budget, and how fast it burns: 1 is the speed that uses it up in 30 days. */
const objectivePanels = (objective: Objective): readonly Panel[] => {
  const { title, description, target, name } = objective
  const budget = Number((1 - target).toPrecision(6))
  const windows = [...new Set(BURN_WINDOWS.flatMap(({ short, long }) => [short, long]))]
  const common = { alerts: [`${objective.alertPrefix}BudgetBurn`], seeAlso: CAUSE_OF[name] ?? [], height: 7 }
  return [
    {
      ...common,
      title: `${title}: budget left`,
      shows: `${description} Shown is what is left of the error budget of 30 days.`,
      good: 'Above 50 % in the middle of a month.',
      otherwise: 'Below 0 the promise is broken: no risky change until it is back.',
      unit: 'ratio',
      view: 'number',
      queries: [{ expr: `${budgetRemainingSeries(objective)}{${NAMESPACE}}`, legend: 'left' }],
      limits: { bad: 'below', warning: 0.5, critical: 0.1 },
      width: 4,
    },
    {
      ...common,
      title: `${title}: burn rate`,
      shows: `How many times too fast the budget burns, over windows of ${windows.join(', ')}.`,
      good: 'Below 1.',
      otherwise:
        `At ${SHORTEST.factor} over ${SHORTEST.long} somebody is woken: the budget of 30 days is gone in two ` +
        `days. Go on to the linked dashboards.`,
      unit: 'none',
      queries: windows.map((window) => ({
        expr: `${burnRateSeries(objective, window)}{${NAMESPACE}} / ${budget}`,
        legend: window,
      })),
      limits: { bad: 'above', warning: 1, critical: SHORTEST.factor },
      decimals: 2,
    },
  ]
}

/** Objectives: what is left of their budgets, and how fast they burn. */
export const PROMISES: Row = { title: 'Are promises kept?', panels: OBJECTIVES.flatMap(objectivePanels) }
