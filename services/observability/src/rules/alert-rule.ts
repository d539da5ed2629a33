/** What an expression is made for. */
export interface RuleContext {
  /** `namespace="x"`, or nothing. */
  readonly selector: string
  /** Seconds of the rule as PromQL's duration, divided by the time scale: 300 is `5m` at scale 1, `15s` at 20. */
  readonly duration: (seconds: number) => string
  /** Seconds of the rule as PromQL's number, divided by the time scale: 300 is `300` at scale 1, `15` at 20. */
  readonly seconds: (seconds: number) => string
}

/** Who hears of an alert: `critical` wakes somebody, `warning` is a task for the day, `info` explains others. */
export type Severity = 'critical' | 'warning' | 'info'

/** Parts of the platform that alerts speak of; what is not there can be left out when the rules are rendered. */
export type Component =
  'slo' | 'money' | 'partitions' | 'servers' | 'broker' | 'market' | 'bridge' | 'gateway' | 'process' | 'operator'

/** One alerting rule. Rules of the same name tell of the same failure at other speeds. */
export interface AlertRule {
  readonly alert: string
  readonly severity: Severity
  /** PromQL; every value that it gives is an alert. */
  readonly expr: (context: RuleContext) => string
  /** How long the expression must hold. */
  readonly forSeconds: number
  readonly keepFiringForSeconds?: number
  /** One line, with `{{ $labels.x }}` of labels that the expression leaves. */
  readonly summary: string
  /** What it means for users and money. */
  readonly description: string
  /** Uid of the dashboard that shows the cause. */
  readonly dashboard: string
  /** Title of the panel there. */
  readonly panel?: string
  readonly component: Component
  /** Labels besides severity and component. */
  readonly labels?: Readonly<Record<string, string>>
}
