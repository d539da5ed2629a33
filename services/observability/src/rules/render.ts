import { Document, Scalar } from 'yaml'
import {
  BUDGET_PERIOD_SECONDS,
  BURN_WINDOWS,
  OBJECTIVES,
  budgetRemainingSeries,
  burnRateSeries,
  type Objective,
} from '../objectives/objectives.ts'
import type { AlertRule, Component, RuleContext } from './alert-rule.ts'
import { ALERTS } from './alerts/alerts.ts'

/** How the rules are written out. */
export interface RenderOptions {
  /** `namespace="x"`, or '' for a Prometheus that sees one installation only. */
  readonly selector: string
  /** All windows and waits are divided by it, so that a drill of minutes stands for hours; 1 where left out. */
  readonly timeScale?: number
  /** Address of an alert’s runbook. */
  readonly runbookUrl?: (alert: string) => string
  /** Address of a dashboard; a path within Grafana where left out. */
  readonly dashboardUrl?: (uid: string) => string
  /** Components that are not there: without Kubernetes there is no operator to be missed. */
  readonly without?: readonly Component[]
  /** Objectives that stand in for those of the same name: a drill on a small machine promises orders less. */
  readonly instead?: readonly Objective[]
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** Milliseconds as PromQL, in the largest unit that divides them: `90s`, `5m`, `750ms`. */
const durationOf = (milliseconds: number): string => {
  const whole = Math.max(Math.round(milliseconds), 1)
  const unit = UNITS.find(([, length]) => whole % length === 0)
  return unit === undefined ? `${whole}ms` : `${whole / unit[1]}${unit[0]}`
}

/** Expressions in blocks of their own: they hold quotes, and what fills the selector in must not have to care. */
const expression = (promql: string): Scalar => {
  const scalar = new Scalar(promql)
  scalar.type = Scalar.BLOCK_LITERAL
  return scalar
}

const windowsOf = (isLong: boolean): readonly (readonly [name: string, seconds: number])[] =>
  BURN_WINDOWS.flatMap(({ long, longSeconds, short, shortSeconds }) => [
    [long, longSeconds] as const,
    [short, shortSeconds] as const,
  ])
    .filter(([name], at, all) => all.findIndex(([other]) => other === name) === at)
    .filter(([, seconds]) => seconds > 2 * 3_600 === isLong)
    .sort(([, one], [, other]) => one - other)

const burnRates = (
  objectives: readonly Objective[],
  isLong: boolean,
  { selector, duration }: RuleContext,
): readonly object[] =>
  objectives.flatMap((objective) =>
    windowsOf(isLong).map(([name, seconds]) => ({
      record: burnRateSeries(objective, name),
      expr: expression(objective.badRatio(duration(seconds), selector)),
    })),
  )

const budgetRemaining = (objective: Objective, { selector, duration }: RuleContext): object => ({
  record: budgetRemainingSeries(objective),
  expr: expression(
    `1 - (${objective.badRatio(duration(BUDGET_PERIOD_SECONDS), selector)}) / ${Number((1 - objective.target).toPrecision(6))}`,
  ),
})

const dashboardPath = (uid: string): string => `/d/${uid}`

const alerting = (rule: AlertRule, context: RuleContext, options: RenderOptions): object => {
  const { alert, severity, component, summary, description, dashboard, panel } = rule
  const { runbookUrl = (name) => `docs/runbooks/${name}.md`, dashboardUrl = dashboardPath } = options
  const { forSeconds, keepFiringForSeconds } = rule
  return {
    alert,
    expr: expression(rule.expr(context)),
    ...(forSeconds === 0 ? {} : { for: context.duration(forSeconds) }),
    ...(keepFiringForSeconds === undefined ? {} : { keep_firing_for: context.duration(keepFiringForSeconds) }),
    labels: { severity, component, ...rule.labels },
    annotations: {
      summary,
      description,
      runbook_url: runbookUrl(alert),
      dashboard_url: dashboardUrl(dashboard),
      ...(panel === undefined ? {} : { panel }),
    },
  }
}

/**
 * The file of rules for Prometheus, YAML: recorded burn rates `<objective>:burnrate<window>` (their names keep the true window at
 * any time scale), what is left of each error budget, and all alerts.
 */
export const renderRules = (options: RenderOptions): string => {
  const { selector, timeScale = 1, without = [], instead = [] } = options
  const objectives = OBJECTIVES.map((objective) => instead.find(({ name }) => name === objective.name) ?? objective)
  const context: RuleContext = {
    selector,
    duration: (seconds) => durationOf((seconds * 1_000) / timeScale),
    seconds: (seconds) => String(seconds / timeScale),
  }
  const components = [...new Set(ALERTS.map(({ component }) => component))].filter((one) => !without.includes(one))
  const groups = [
    { name: 'bourse-burnrates', rules: burnRates(objectives, false, context) },
    {
      name: 'bourse-budgets',
      interval: context.duration(180),
      rules: [
        ...burnRates(objectives, true, context),
        ...objectives.map((objective) => budgetRemaining(objective, context)),
      ],
    },
    ...components.map((component) => ({
      name: `bourse-${component}`,
      rules: ALERTS.filter((rule) => rule.component === component).map((rule) => alerting(rule, context, options)),
    })),
  ]
  const document = new Document({ groups })
  return document.toString({ lineWidth: 0, singleQuote: true })
}
