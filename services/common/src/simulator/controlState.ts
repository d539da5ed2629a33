/**
 * What a simulator has been told through `PUT /control`, kept on its disk: a restart does not end a fault
 * that was to last until replaced.
 */
import type { DatabaseSync } from 'node:sqlite'

/** Table of the control state; part of every simulator's schema. */
export const CONTROL_SCHEMA = `
  CREATE TABLE IF NOT EXISTS control (field TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`

/** Rules in a list of the control state. */
export const CONTROL_RULES_MAX = 1_000

/** JSON schema of `count`: how many times a rule applies; absent: until replaced. */
export const COUNT_SCHEMA = { type: 'integer', minimum: 1, maximum: 1_000_000_000 } as const

/** A rule that applies `count` times, or until it is replaced. */
export interface Counted {
  readonly count?: number
}

/** A list of rules on disk. */
export interface RuleList<T extends Counted> {
  /** The rules that still apply. */
  list(): readonly T[]
  /** Replaces the whole list. */
  replace(rules: readonly T[]): void
  /**
   * The first rule that matches, counted down; undefined when none does. Inside a transaction of the store.
   */
  take(matches: (rule: T) => boolean): T | undefined
}

/** Makes the rule list kept in the field `field` of a database that has `CONTROL_SCHEMA`. */
export const createRuleList = <T extends Counted>(database: DatabaseSync, field: string): RuleList<T> => {
  const select = database.prepare('SELECT value FROM control WHERE field = ?')
  const upsert = database.prepare(
    'INSERT INTO control (field, value) VALUES (?, ?) ON CONFLICT (field) DO UPDATE SET value = excluded.value',
  )

  const list = (): readonly T[] => {
    const row = select.get(field)
    return row === undefined ? [] : (JSON.parse(String(row['value'])) as T[])
  }

  const replace = (rules: readonly T[]): void => {
    upsert.run(field, JSON.stringify(rules))
  }

  const take = (matches: (rule: T) => boolean): T | undefined => {
    const rules = list()
    const index = rules.findIndex(matches)
    const rule = rules[index]
    if (rule?.count === undefined) return rule
    const rest = rule.count === 1 ? [] : [{ ...rule, count: rule.count - 1 }]
    replace([...rules.slice(0, index), ...rest, ...rules.slice(index + 1)])
    return rule
  }

  return { list, replace, take }
}
