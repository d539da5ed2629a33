import type { QuoteCommand } from '@bourse/bridge/codec/commands.ts'
import type { Reply } from '@bourse/bridge/codec/reply.ts'
import type { Entry } from '../../evidence/journals.ts'
import { differences } from '../differences.ts'
import { WINDOW_MS } from '../memory.ts'
import { judgeQuote } from './acceptance.ts'
import type { Desk } from './desk.ts'

const STATEMENT = 'bank-acceptance'

/** QUOTE: refused with a code that the rules give, or promised what they give; a repeat is promised the same. */
export const followQuote = (desk: Desk, entry: Entry, command: QuoteCommand, reply: Reply): void => {
  const { quotes, complain, where } = desk
  const id = `q_${entry.id ?? ''}`
  const known = quotes.get(id)
  const bank = desk.banks.get(command.bank)
  const { codes, deal, pair } = judgeQuote(bank, command)
  if (reply.quote === null) {
    if (!codes.includes(reply.code) && reply.code !== 'UNAVAILABLE')
      complain(STATEMENT, `${where(entry)}: a quote is refused ${reply.code}; the auditor finds [${codes.join()}]`)
    return
  }
  const promised = known?.promised ?? deal
  const expiresAt = known?.expiresAt ?? entry.now + BigInt(bank?.rules.quoteTtlMs ?? 0)
  if (promised === null || pair === null)
    return complain(STATEMENT, `${where(entry)}: a quote is given where ${codes.join()} is due`)
  const { side, amount, currency } = command
  const { price, crypto: cryptoAmount, fiat: fiatAmount } = promised
  const wrong = differences({ ...reply.quote }, { side, price, cryptoAmount, fiatAmount, expiresAt })
  if (wrong !== '') complain('bank-arithmetic', `quote ${id}: ${wrong}`)
  if (known !== undefined) return
  quotes.set(id, {
    id,
    bank: command.bank,
    customer: command.bankUserId,
    side,
    amount,
    currency,
    symbol: pair.symbol,
    ticker: command.ticker.price,
    promised,
    expiresAt,
    usedBy: null,
    isCancelled: false,
  })
}

/** CANCEL: a quote is taken back by the bank that asked for it, unless it was used. */
export const followCancel = (desk: Desk, entry: Entry, bank: string, id: string, reply: Reply): void => {
  const quote = desk.quotes.get(id)
  const isThere = quote !== undefined && quote.bank === bank && !quote.isCancelled
  if (reply.code === 'OK' && quote !== undefined) quote.isCancelled = true
  const isForgotten = quote !== undefined && quote.expiresAt + WINDOW_MS <= entry.now
  const expected = !isThere ? 'QUOTE_NOT_FOUND' : quote.usedBy !== null ? 'QUOTE_USED' : 'OK'
  if (reply.code !== expected && !isForgotten)
    desk.complain(STATEMENT, `${desk.where(entry)}: taking ${id} back is told ${reply.code}, not ${expected}`)
}
