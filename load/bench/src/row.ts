/** What a row's figure contains, outermost part named; rows of different kinds never share a table. */
export type RowKind = 'core' | 'core + fsync' | 'core + broker' | 'wire to wire'

/** The kinds in the order of the report. */
export const ROW_KINDS: readonly RowKind[] = ['core', 'core + fsync', 'core + broker', 'wire to wire']

/** What one run measured for a row: its own figure and, by name, those of its peers in the same unit. */
export interface Sample {
  readonly value: number
  readonly peers: Readonly<Record<string, number>>
  /** Why a peer that this row usually has is missing, by the peer's name. */
  readonly absent?: Readonly<Record<string, string>>
}

/** A bound on what was measured; helpers in goals.ts. */
export interface Goal {
  /** As the report prints it: "≤ 40 ns", "≥ 5 × bigint". */
  readonly text: string
  /** Whether the samples of all runs (at least one) meet it. A ratio to a peer that was not measured does not count. */
  met(samples: readonly Sample[]): boolean
}

/** One line of the report. */
export interface RowDefinition {
  /** Unique, `prefix/name`. */
  readonly name: string
  /** One sentence: what exactly is inside the figure. */
  readonly what: string
  /** Unit of the value and of its peers: "ns", "ops/s", "ms", "bytes". */
  readonly unit: string
  readonly kind: RowKind
  readonly goal: Goal
}

/** Rows that one child process measures together: one fresh process for every run. */
export interface Group {
  /** Unique, as listed in rows/index.ts. */
  readonly name: string
  readonly rows: readonly RowDefinition[]
  /** Node's flags for the child, `--expose-gc` for instance. */
  readonly nodeFlags?: readonly string[]
  /** Why none of the rows can be measured here (a part that is not installed), or null. Asked in the child. */
  unavailable?(): Promise<string | null>
  /** One run: samples by row name. A row that is left out counts as not measured. */
  measure(): Promise<Readonly<Record<string, Sample>>>
}

/**
 * How a group is found without loading it. Importing the module must do nothing but define: the command loads it for the
 * rows' names and goals, a child to measure; what is heavy is imported inside `measure`.
 */
export interface GroupEntry {
  readonly name: string
  readonly load: () => Promise<Group>
}
