/** The faults a simulator can be told to make, and their JSON schema. */
import { CONTROL_RULES_MAX, COUNT_SCHEMA, type Counted } from './controlState.ts'

/**
 * - `reject`: a refusal in the contract's form; the work is not done
 * - `error`: status 500; the work is not done
 * - `hang`: never answers; the work is not done
 * - `slow`: does the work on arrival, answers after `ms`
 * - `drop`: does the work, then cuts the connection
 * - `twice`: does the work twice unless the caller's id stops it; answers with the first
 */
export const FAULT_KINDS = ['reject', 'error', 'hang', 'slow', 'drop', 'twice'] as const
/** One of `FAULT_KINDS`. */
export type FaultKind = (typeof FAULT_KINDS)[number]

/** Longest delay of a `slow` fault, in milliseconds. */
export const SLOW_MS_MAX = 600_000

/** A fault: on which call, which kind, how often (absent: until replaced); `ms` belongs to `slow` only. */
export interface Fault extends Counted {
  readonly on: string
  readonly kind: FaultKind
  readonly ms?: number
}

/** JSON schema of the list `faults` for a simulator whose calls are named `calls`. */
export const faultsSchema = (calls: readonly string[]): object => ({
  type: 'array',
  maxItems: CONTROL_RULES_MAX,
  items: {
    type: 'object',
    required: ['on', 'kind'],
    additionalProperties: false,
    properties: {
      on: { enum: calls },
      kind: { enum: FAULT_KINDS },
      count: COUNT_SCHEMA,
      ms: { type: 'integer', minimum: 0, maximum: SLOW_MS_MAX },
    },
    if: { properties: { kind: { const: 'slow' } } },
    then: { required: ['ms'] },
    else: { properties: { ms: false } },
  },
})
