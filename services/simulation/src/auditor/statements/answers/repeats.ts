import type { BankOutcome, BankTransaction } from '@bourse/bridge/client/types.ts'
import { differences } from '../../model/differences.ts'
import { callText, type Case } from '../case.ts'
import type { Answered } from './answered.ts'
import { unkept } from './refusals.ts'

/** An answer that leaves open what became of the request. */
const isOpenAnswer = ({ answer }: Answered): boolean => {
  if (!answer.ok) return answer.refusal.code === 'UNAVAILABLE'
  const outcome = answer.value as Partial<BankOutcome> | undefined
  return (
    outcome?.kind === 'pending' ||
    (outcome?.kind === 'final' && (outcome.transaction as BankTransaction).status === 'PENDING')
  )
}

/** The order of an object's fields says nothing. */
const sorted = (part: unknown): unknown =>
  typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
    : part

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : sorted(part))) ?? 'done'

const answerText = ({ answer }: Answered): string => textOf(answer.ok ? answer.value : answer.refusal.code)

/** Where two answers differ: field by field when both are objects. */
const answersDiffer = (one: Answered, other: Answered): string => {
  const [a, b] = [one, other].map(({ answer }) => (answer.ok ? answer.value : undefined))
  if (typeof a !== 'object' || typeof b !== 'object') return `${answerText(one)}, not ${answerText(other)}`
  const texts = (value: object): Record<string, string> =>
    Object.fromEntries(Object.entries(value).map(([name, part]) => [name, textOf(part)]))
  return differences(texts(a), texts(b))
}

/** Repeats answer the same: once an answer is kept under a key, every later one for that request is it. */
export const checkRepeats = (on: Case, groups: ReadonlyMap<string, readonly Answered[]>): void => {
  for (const calls of groups.values()) {
    const clear = calls.filter((call) => !isOpenAnswer(call))
    const kept = clear.filter(({ answer }) => answer.ok || !unkept.has(answer.refusal.code))
    const [first] = kept
    if (first === undefined || clear.length === 1) continue
    const text = answerText(first)
    const earliest = kept.reduce((one, other) => ((other.answeredAtMs ?? 0) < (one.answeredAtMs ?? 0) ? other : one))
    for (const call of clear) {
      const isKept = call.answer.ok || !unkept.has(call.answer.refusal.code)
      const isLater = call.calledAtMs > (earliest.answeredAtMs ?? Infinity)
      if ((isKept || isLater) && answerText(call) !== text)
        on.complain(
          'repeats-answer-the-same',
          `${callText(call)} is told ${answersDiffer(call, first)}; so was ${callText(first)}`,
        )
    }
  }
}
