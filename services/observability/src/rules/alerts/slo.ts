import {
  BURN_WINDOWS,
  OBJECTIVES,
  burnRateSeries,
  type BurnWindow,
  type Objective,
} from '../../objectives/objectives.ts'
import type { AlertRule } from '../alert-rule.ts'
import { select } from '../expressions.ts'

/** Share of the errors that a budget allows, without the dust of binary fractions: 14.4 * (1 - 0.99) is 0.144. */
const thresholdOf = (target: number, factor: number): string => String(Number((factor * (1 - target)).toPrecision(6)))

const burn = (objective: Objective, window: BurnWindow): AlertRule => {
  const { long, short, factor, forSeconds, severity } = window
  const threshold = thresholdOf(objective.target, factor)
  return {
    alert: `${objective.alertPrefix}BudgetBurn`,
    severity,
    expr: ({ selector }) =>
      `${select(burnRateSeries(objective, long), selector)} > ${threshold} and ` +
      `${select(burnRateSeries(objective, short), selector)} > ${threshold}`,
    forSeconds,
    summary: `${objective.title}: the error budget burns ${factor} times too fast`,
    description: `{{ $value | humanizePercentage }} were not as promised over ${long}, and it goes on. ${objective.description}`,
    dashboard: 'bourse-overview',
    panel: `${objective.title}: budget left`,
    component: 'slo',
    labels: { objective: objective.name, long, short },
  }
}

/** The symptoms: promises that break faster than their budget allows. */
export const SLO_ALERTS: readonly AlertRule[] = OBJECTIVES.flatMap((objective) =>
  BURN_WINDOWS.map((window) => burn(objective, window)),
)
