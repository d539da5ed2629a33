/** A statement of the auditor that does not hold: which, and what is wrong with which values. */
export interface Finding {
  /** The statement's stable name: `zero-sum`, `one-outcome`, `answers-still-true`, `replay-from-genesis`, … */
  readonly statement: string
  readonly message: string
}
