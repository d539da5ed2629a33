import type { Call } from '../../../history/history.ts'
import { type Case } from '../case.ts'
import type { Answered, Identity } from './answered.ts'
import { checkBankOutcome, checkNotAccepted, checkQuote } from './bank.ts'
import { checkAccountOpened, checkAdjusted, checkCorrected, checkFunded } from './postings.ts'
import { checkRefused } from './refusals.ts'
import { checkRepeats } from './repeats.ts'
import { checkClosed, checkOpened, checkUpdated } from './trades.ts'

const groupOf = ({ id, requestHash }: Identity): string => `${id}:${requestHash}`

const checkAccepted = (on: Case, call: Answered, id: string | null): void => {
  const { request, answer } = call
  if (!answer.ok) return
  const value = answer.value as never
  switch (request.kind) {
    case 'open-trade':
      return checkOpened(on, call, request, value, id)
    case 'update-trade':
      return checkUpdated(on, call, request, value, id)
    case 'close-trade':
      return checkClosed(on, call, request, value, id)
    case 'bank-trade':
    case 'bank-move':
      return checkBankOutcome(on, call, request, value)
    case 'quote':
      return checkQuote(on, call, value)
    case 'adjust':
      return checkAdjusted(on, call, request, (value as { readonly transactionId: string }).transactionId)
    case 'fund':
      return checkFunded(on, call, request, (value as { readonly transactionIds: readonly string[] }).transactionIds)
    case 'correct':
      return checkCorrected(on, call, request, (value as { readonly transactionId: string }).transactionId)
    case 'open-account':
      return checkAccountOpened(on, call, id, (value as { readonly existed: boolean }).existed)
    case 'market-state':
    case 'cancel-quote':
    case 'balances':
    case 'open-trades':
    case 'bank-accounts':
    case 'bank-transaction':
    case 'bank-transaction-by-key':
    case 'bank-transactions':
    case 'bank-events':
      // Nothing is promised by it, or it is a read.
      return
  }
}

/**
 * Every answer given is still true at the end: what was acknowledged is in the books, was on the disk before it was told,
 * and is told with the right values; what was refused for good was never executed; repeats answer the same; a conflict has
 * its reason.
 */
export const checkAnswers = (on: Case): void => {
  const groups = new Map<string, Answered[]>()
  const all = new Map<string, Call[]>()
  for (const call of on.calls) {
    const identity = call.key === null ? null : on.identities.identityOf(call.request, call.key)
    const group = identity === null || call.request.kind === 'market-state' ? null : groupOf(identity)
    if (group !== null) all.set(group, [...(all.get(group) ?? []), call])
    if (call.answer === null) continue
    const answered = { ...call, answer: call.answer }
    if (group !== null) groups.set(group, [...(groups.get(group) ?? []), answered])
    if (answered.answer.ok) checkAccepted(on, answered, identity?.id ?? null)
    else if (identity !== null) checkRefused(on, answered, identity, answered.answer.refusal.code)
  }
  checkRepeats(on, groups)
  checkNotAccepted(on, all)
}
