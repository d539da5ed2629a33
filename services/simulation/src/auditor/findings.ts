import type { Finding } from './finding.ts'

/** Findings of one statement that are told one by one; more are counted in a last one. */
export const FINDINGS_PER_STATEMENT_MAX = 8

/** Says that a statement does not hold: its name, and what is wrong with which values. */
export type Complain = (statement: string, message: string) => void

/** Collects findings, a bounded number for each statement. */
export const createFindings = (): { readonly complain: Complain; readonly all: () => readonly Finding[] } => {
  const byStatement = new Map<string, string[]>()
  return {
    complain: (statement, message) => {
      const messages = byStatement.get(statement)
      if (messages === undefined) byStatement.set(statement, [message])
      else messages.push(message)
    },
    all: () =>
      [...byStatement].flatMap(([statement, messages]) => {
        const shown = messages.slice(0, FINDINGS_PER_STATEMENT_MAX).map((message) => ({ statement, message }))
        const rest = messages.length - shown.length
        return rest === 0 ? shown : [...shown, { statement, message: `and ${rest} more findings of this statement` }]
      }),
  }
}
