import type { MoveCommand, TradeCommand } from '@bourse/bridge/codec/commands.ts'
import type { Reply } from '@bourse/bridge/codec/reply.ts'
import { codeOfNumber, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { FIAT_STEP } from '../../arithmetic/bank.ts'
import type { Entry } from '../../evidence/journals.ts'
import { judgeTrade, type Acceptance } from './acceptance.ts'
import { begin, isRepeat } from './beginning.ts'
import type { BankBook, BankLife, Quote } from './book.ts'
import type { Desk } from './desk.ts'

const STATEMENT = 'bank-acceptance'

/** The codes that a transaction which has begun may be told with. */
const codesToBegin = ({ unkept, kept }: Acceptance): readonly string[] => {
  if (kept.length > 0) return kept
  return unkept.length > 0 ? ['a refusal that is not kept'] : ['OK']
}

/** What a transaction is told to be about: nothing where the quote was refused, the quote's promise where there was no price. */
const dealtIn = (acceptance: Acceptance, code: OutcomeCode): Acceptance => {
  if (code === 'QUOTE_NOT_FOUND' || code === 'QUOTE_EXPIRED' || code === 'QUOTE_USED')
    return { ...acceptance, deal: null }
  const { quote } = acceptance
  return code === 'INSUFFICIENT_LIQUIDITY' && quote !== null
    ? { ...acceptance, deal: quote.promised, ticker: quote.ticker }
    : acceptance
}

const useUp = ({ complain }: Desk, entry: Entry, quote: Quote, life: BankLife): void => {
  if (quote.usedBy !== null)
    complain('quote-once', `quote ${quote.id} is used by ${life.id} and was used by ${quote.usedBy}`)
  if (quote.expiresAt <= entry.now)
    complain('quote-once', `quote ${quote.id} is used at ${entry.now}, expired at ${quote.expiresAt}`)
  quote.usedBy = life.id
}

/** TRADE: refused with a code that the rules give, kept or not; or begun with the rules' deal, its quote used up. */
export const followTrade = (desk: Desk, entry: Entry, trade: TradeCommand, reply: Reply): void => {
  if (isRepeat(desk, entry, reply)) return
  const { complain, where } = desk
  const acceptance = judgeTrade(desk.banks.get(trade.bank), desk.quotes, trade, entry.now)
  const { unkept, kept, quote } = acceptance
  const [told] = reply.transactions
  if (told === undefined) {
    desk.refused.add(entry.id ?? '')
    // Full tables are taken on trust: nothing begins then, and nothing is kept under the key.
    if (!unkept.includes(reply.code) && reply.code !== 'UNAVAILABLE') {
      const due = [...unkept, ...kept].join()
      complain(STATEMENT, `${where(entry)}: a trade is refused ${reply.code}; the auditor finds [${due}]`)
    }
    return
  }
  const code = codeOfNumber(told.code)
  const expected = codesToBegin(acceptance)
  if (!expected.includes(code)) {
    const due = expected.join(' or ')
    complain(STATEMENT, `${where(entry)}: a trade of ${trade.bank} is told ${code}, not ${due}`)
  }
  const life = begin(desk, entry, trade, trade.side, dealtIn(acceptance, code))
  if (quote !== null && (code === 'OK' || code === 'INSUFFICIENT_LIQUIDITY')) useUp(desk, entry, quote, life)
  if (code === 'OK') {
    desk.count(life, 1n)
    desk.tell(life)
  } else {
    life.code = code
    desk.finish(entry, life, 'failed')
  }
}

const mayMove = (bank: BankBook | undefined, { amount, currency }: MoveCommand): boolean =>
  bank !== undefined &&
  !bank.rules.suspended &&
  amount > 0n &&
  amount % FIAT_STEP === 0n &&
  bank.rules.pairs.some((pair) => pair.quoteAsset === currency)

/** MOVE, a deposit or a withdrawal: begins when the rules let it. */
export const followMove = (desk: Desk, entry: Entry, move: MoveCommand, reply: Reply): void => {
  if (isRepeat(desk, entry, reply)) return
  const isRight = mayMove(desk.banks.get(move.bank), move)
  const hasBegun = reply.transactions.length > 0
  if (hasBegun !== isRight && reply.code !== 'UNAVAILABLE' && reply.code !== 'VALIDATION_ERROR')
    desk.complain(
      STATEMENT,
      `${desk.where(entry)}: a ${move.type} is told ${reply.code}; it ${isRight ? 'must' : 'must not'} begin`,
    )
  if (!hasBegun) {
    desk.refused.add(entry.id ?? '')
    return
  }
  const life = begin(desk, entry, move, move.type, null)
  if (reply.code === 'OK') desk.tell(life)
}
