import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import { ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import { callText, type Case } from '../case.ts'
import { ANSWERS_STILL_TRUE as STATEMENT, type Answered, type Identity } from './answered.ts'
import { correctionsFor, firstsOf } from './firsts.ts'

/** Refusals that are made outside the machines, or are not kept under a key. */
export const unkept: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'VALIDATION_ERROR',
  'BANK_SUSPENDED',
  'RATE_LIMITED',
  'TRANSACTION_NOT_FOUND',
  'MARKET_NOT_FOUND',
  'IDEMPOTENCY_CONFLICT',
])

/** A refusal that is final must be a journaled first outcome of its id. */
export const checkRefused = (on: Case, call: Answered, identity: Identity, code: string): void => {
  const { request } = call
  const firsts = firstsOf(on, identity.id)
  if (code === 'IDEMPOTENCY_CONFLICT') return checkConflict(on, call, identity, firsts)
  if (unkept.has(code) || request.kind === 'fund' || request.kind === 'market-state') return
  if (request.kind === 'bank-trade' || request.kind === 'bank-move') return
  const all = request.kind === 'correct' ? correctionsFor(on, identity.id) : firsts
  const told = all.filter((entry) => entry.code !== 0).map((entry) => codeOfNumber(entry.code) as string)
  // A trade that is nowhere, or another's, is refused at the edge, its key registered; of a closed one the edge says which it is.
  const isRegistered = firsts.every(({ header, code: first }) => header.kind === ledgerKinds.HOLD && first === 0)
  const isEdges = code === 'TRADE_NOT_FOUND' && (told.includes('TRADE_CLOSED') || isRegistered)
  if (!told.includes(code) && !isEdges)
    on.complain(
      STATEMENT,
      `${callText(call)} was refused ${code}; journaled under its id is [${told.join() || firsts.length}]`,
    )
}

const checkConflict = (on: Case, call: Answered, { id, requestHash }: Identity, firsts: readonly Entry[]): void => {
  if (call.request.kind === 'fund' || call.request.kind === 'market-state' || call.request.kind === 'correct') return
  const hashes = firsts.map(({ header }) => hex(header.requestHash))
  const bank = [...on.bankLives.values()].find(({ life }) => life.commandId === id)?.life
  const all = bank === undefined ? hashes : [...hashes, bank.requestHash]
  if (!all.some((hash) => hash !== requestHash))
    on.complain(STATEMENT, `${callText(call)} was told of a conflict; nothing else was ever asked under its key`)
}
