import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeSpec, decodeState } from '@bourse/risk-rules/trading/codec.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { Desk } from './desk.ts'
import { changeFundingInterval } from './funding.ts'
import { termsOf } from './trade.ts'

/** SPEC: the market's rules from here on; a state that the spec does not change stays as it was set. */
export const followSpec = ({ market }: Desk, entry: Entry): void => {
  if (entry.code !== refusalNumbers.OK) return
  const before = market.terms
  const terms = termsOf(decodeSpec(entry.input))
  market.terms = terms
  if (before === null || before.state !== terms.state) market.state = terms.state
  changeFundingInterval(market, before, terms, entry.now)
}

/** STATE: open, reduce-only or halted. */
export const followState = ({ market }: Desk, entry: Entry): void => {
  if (entry.code === refusalNumbers.OK) market.state = decodeState(entry.input)
}
