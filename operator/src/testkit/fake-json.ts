import type { JsonPatchOperation, KubeObject } from '../runtime/types.ts'

/** Any JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** Whether a value is a JSON object. */
export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether two JSON values say the same, whatever the order of their keys. */
export const isEqualJson = (left: unknown, right: unknown): boolean => {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isEqualJson(item, right[index]))
  }
  if (!isJson(left) || !isJson(right)) return Object.is(left, right)
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => isEqualJson(left[key], right[key]))
}

/** Keys by which the items of some lists are merged, as their schemas say; other lists are replaced. */
const LIST_KEYS: Readonly<Record<string, string>> = { conditions: 'type', ownerReferences: 'uid' }

/** Items of a list as an object by key, or null for lists that are replaced; finalizers are a set. */
const keyed = (field: string, value: unknown): Record<string, unknown> | null => {
  if (!Array.isArray(value)) return null
  const key = LIST_KEYS[field]
  if (key === undefined && field !== 'finalizers') return null
  return Object.fromEntries(
    value.map((item) => [String(key === undefined ? item : (item as Json)[key]), item as unknown]),
  )
}

/**
 * One object with what a field manager applies now merged in, and without what it applied before and no longer does.
 * Simplified: a field belongs to its last applier alone.
 */
export const mergeApplied = (current: Json, applied: Json, appliedBefore: Json): Json => {
  const merged: Record<string, unknown> = { ...current }
  for (const field of Object.keys(appliedBefore)) if (!(field in applied)) delete merged[field]
  for (const [field, value] of Object.entries(applied)) {
    const now = merged[field]
    const before = appliedBefore[field]
    const items = keyed(field, value)
    if (items !== null) {
      const itemsBefore = keyed(field, before) ?? {}
      merged[field] = Object.values(mergeApplied(keyed(field, now) ?? {}, items, itemsBefore))
    } else if (isJson(value)) {
      merged[field] = mergeApplied(isJson(now) ? now : {}, value, isJson(before) ? before : {})
    } else merged[field] = value
  }
  return merged
}

/** A JSON patch could not be applied: the API server answers 422. */
export class PatchFailure extends Error {
  override readonly name = 'PatchFailure'
}

const pointerOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))

const applyOne = (root: Json, { op, path, value }: JsonPatchOperation): void => {
  const parts = pointerOf(path)
  const last = parts.pop()
  if (last === undefined) throw new PatchFailure('the whole object is patched')
  let parent: unknown = root
  for (const part of parts) parent = (parent as Record<string, unknown> | undefined)?.[part]
  if (typeof parent !== 'object' || parent === null) throw new PatchFailure(`${path} has no parent`)
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : Number(last)
    if (op === 'test' && !isEqualJson(parent[index], value)) throw new PatchFailure(`${path} is not as tested`)
    if (op === 'remove') parent.splice(index, 1)
    if (op === 'add') parent.splice(index, 0, value)
    if (op === 'replace') parent[index] = value
    return
  }
  const fields = parent as Record<string, unknown>
  if (op === 'test' && !isEqualJson(fields[last], value)) throw new PatchFailure(`${path} is not as tested`)
  if ((op === 'remove' || op === 'replace') && !(last in fields)) throw new PatchFailure(`there is no ${path}`)
  if (op === 'remove') delete fields[last]
  if (op === 'add' || op === 'replace') fields[last] = value
}

/** The object after an RFC 6902 patch; throws {@link PatchFailure}. */
export const applyJsonPatch = (object: KubeObject, operations: readonly JsonPatchOperation[]): KubeObject => {
  const copy = structuredClone(object)
  for (const operation of operations) applyOne(copy as unknown as Json, operation)
  return copy
}

/** Whether labels satisfy a selector of `a=b`, `a!=b`, `a`, `a in (b,c)` terms. */
export const isSelected = (labels: Readonly<Record<string, string>>, selector: string): boolean =>
  selector
    .split(/,(?![^(]*\))/u)
    .filter((term) => term !== '')
    .every((term) => {
      const within = /^(\S+)\s+in\s+\((.*)\)$/u.exec(term)
      if (within !== null) return within[2]!.split(',').some((value) => labels[within[1]!] === value.trim())
      const compared = /^([^!=]+)(!=|==?)(.*)$/u.exec(term)
      if (compared === null) return term in labels
      return (labels[compared[1]!] === compared[3]) === (compared[2] !== '!=')
    })
