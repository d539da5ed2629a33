/** Fixed uids: links and alerts name them, and a reimport replaces what is there. */
export const DASHBOARD_UIDS = [
  'bourse-overview',
  'bourse-shards',
  'bourse-money',
  'bourse-bridge',
  'bourse-market',
  'bourse-broker',
  'bourse-operator',
  'bourse-node',
] as const

/** Uid of a dashboard. */
export type DashboardUid = (typeof DASHBOARD_UIDS)[number]

/** Grafana’s names of units. */
export const UNITS = {
  seconds: 's',
  bytes: 'bytes',
  /** 0.25 shows as 25 %. */
  ratio: 'percentunit',
  requestsPerSecond: 'reqps',
  messagesPerSecond: 'mps',
  eventsPerSecond: 'eps',
  recordsPerSecond: 'recps',
  records: 'short',
  count: 'short',
  /** Whole units of a currency or asset. */
  money: 'locale',
  /** What has no unit: states, multiples. */
  none: 'none',
} as const

/** One expression and what its lines are called. */
export interface Query {
  readonly expr: string
  /** As in `{{partition}} p99`. */
  readonly legend: string
}

/** Where a value becomes a warning, and where somebody has to act. */
export interface Limits {
  readonly bad: 'above' | 'below'
  readonly warning?: number
  readonly critical: number
}

/** One panel, told to the person who reads it at night. */
export interface Panel {
  readonly title: string
  /** What is shown. */
  readonly shows: string
  /** What it looks like when all is well. */
  readonly good: string
  /** What to do when it does not look like that. */
  readonly otherwise: string
  readonly unit: keyof typeof UNITS
  readonly queries: readonly Query[]
  /** `lines` over time (the default); `number` now; `states` over time; `table` of what is now. */
  readonly view?: 'lines' | 'number' | 'states' | 'table'
  readonly limits?: Limits
  /** Of 24 columns; 8 where left out. */
  readonly width?: number
  /** Of rows of 30 pixels; 8 where left out. */
  readonly height?: number
  readonly decimals?: number
  /** Words for the values of states and numbers. */
  readonly words?: Readonly<Record<string, { readonly text: string; readonly color: 'green' | 'red' | 'orange' }>>
  /** Alerts that speak of what this panel shows: it links to their runbooks. */
  readonly alerts?: readonly string[]
  /** Where to look next. */
  readonly seeAlso?: readonly DashboardUid[]
}

/** Panels that answer one question, under a title. */
export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** A choice at the top of a dashboard: all values of a label of a series. */
export interface Choice {
  /** Its name in queries: `$pair`. */
  readonly name: 'pair' | 'bank' | 'partition' | 'pod' | 'currency'
  readonly label: string
  /** `label_values(…)`. */
  readonly query: string
}

/** One dashboard: rows in the order in which a person looks, symptoms first. */
export interface Dashboard {
  readonly uid: DashboardUid
  readonly title: string
  readonly description: string
  readonly choices: readonly Choice[]
  readonly rows: readonly Row[]
}

/** File of a dashboard in the chart. */
export const fileOf = (uid: DashboardUid): string =>
  `charts/bourse/files/dashboards/${uid.replace(/^bourse-/, '')}.json`
