import { secondTimeOf } from './times.ts'
import type { Condition } from './types.ts'

/** The condition of this type, if there is one. */
export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type)

/**
 * The conditions with this one in its place, the others and their order untouched. `lastTransitionTime` moves only when
 * `status` changes, so that writing the same again gives equal JSON and no write.
 */
export const setCondition = (
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): readonly Condition[] => {
  const before = conditionOf(conditions, next.type)
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : secondTimeOf(nowMs)
  const condition: Condition = { ...next, lastTransitionTime }
  if (before === undefined) return [...(conditions ?? []), condition]
  return (conditions ?? []).map((other) => (other.type === next.type ? condition : other))
}

/** The conditions without those of this type. */
export const dropCondition = (conditions: readonly Condition[] | undefined, type: string): readonly Condition[] =>
  (conditions ?? []).filter((condition) => condition.type !== type)
