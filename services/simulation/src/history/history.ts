import type {
  BankAccount,
  BankEventPage,
  BankOutcome,
  BankPage,
  BankQuote,
  BankTransaction,
} from '@bourse/bridge/client/types.ts'
import type { Refusal, Result } from '@bourse/common/errors/codes.ts'
import type { Balance } from '@bourse/ledger/client/types.ts'
import type { ClosedTrade, OpenTrade } from '@bourse/trading/client/types.ts'

/** Whose account: a trader's number, or a bank's customer. */
export type Trader = number

/** What a client asks. Amounts and prices are units of 1e-8; `asset` is a symbol. */
export type Request =
  | { readonly kind: 'open-account'; readonly trader: Trader; readonly currency: string; readonly grant: bigint }
  | {
      readonly kind: 'open-trade'
      readonly trader: Trader
      readonly asset: string
      readonly direction: 'LONG' | 'SHORT'
      readonly margin: bigint
      readonly leverage: number
      readonly stopLossPrice: bigint | null
      readonly takeProfitPrice: bigint | null
      readonly worstPrice: bigint | null
    }
  | {
      readonly kind: 'update-trade'
      readonly trader: Trader
      readonly tradeId: string
      /** Of each price: undefined leaves it as it is, null takes it away. */
      readonly stopLossPrice: bigint | null | undefined
      readonly takeProfitPrice: bigint | null | undefined
    }
  | {
      readonly kind: 'close-trade'
      readonly trader: Trader
      readonly tradeId: string
      readonly worstPrice: bigint | null
    }
  | { readonly kind: 'open-trades'; readonly trader: Trader }
  | { readonly kind: 'balances'; readonly trader: Trader }
  | {
      readonly kind: 'adjust'
      readonly trader: Trader
      readonly currency: string
      readonly amount: bigint
      readonly reference: string
    }
  | { readonly kind: 'fund'; readonly target: 'house' | 'insurance'; readonly asset: string; readonly amount: bigint }
  | { readonly kind: 'correct'; readonly transactionId: string }
  | { readonly kind: 'market-state'; readonly asset: string; readonly state: 'Open' | 'ReduceOnly' | 'Halted' }
  | {
      readonly kind: 'quote'
      readonly bank: string
      readonly customer: string
      readonly side: 'BUY' | 'SELL'
      readonly amount: bigint
      readonly currency: string
    }
  | { readonly kind: 'cancel-quote'; readonly bank: string; readonly quoteId: string }
  | {
      readonly kind: 'bank-trade'
      readonly bank: string
      readonly customer: string
      readonly side: 'BUY' | 'SELL'
      readonly quoteId: string | null
      readonly amount: bigint
      readonly currency: string
    }
  | {
      readonly kind: 'bank-move'
      readonly bank: string
      readonly customer: string
      readonly type: 'DEPOSIT' | 'WITHDRAWAL'
      readonly amount: bigint
      readonly currency: string
      readonly reference: string
    }
  | { readonly kind: 'bank-accounts'; readonly bank: string; readonly customer: string }
  | { readonly kind: 'bank-transaction'; readonly bank: string; readonly transactionId: string }
  | { readonly kind: 'bank-transaction-by-key'; readonly bank: string; readonly idempotencyKey: string }
  | {
      readonly kind: 'bank-transactions'
      readonly bank: string
      readonly customer: string | null
      readonly cursor: string | null
    }
  | { readonly kind: 'bank-events'; readonly bank: string; readonly after: number }

/** What each kind of request is answered with when it succeeds. */
export interface AnswerOf {
  'open-account': { readonly existed: boolean }
  'open-trade': OpenTrade
  'update-trade': OpenTrade
  'close-trade': ClosedTrade
  'open-trades': readonly OpenTrade[]
  balances: readonly Balance[]
  adjust: { readonly transactionId: string }
  fund: { readonly transactionIds: readonly string[] }
  correct: { readonly transactionId: string }
  'market-state': void
  quote: BankQuote
  'cancel-quote': void
  'bank-trade': BankOutcome
  'bank-move': BankOutcome
  'bank-accounts': readonly BankAccount[]
  'bank-transaction': BankTransaction
  'bank-transaction-by-key': BankTransaction
  'bank-transactions': BankPage<BankTransaction>
  'bank-events': BankEventPage
}

/** An answer to any request; its kind is the request's. */
export type AnyAnswer = Result<AnswerOf[Request['kind']]>

/** One call of a client: what it asked, when, and what it was told. The client never hears of a call that is cut off. */
export interface Call {
  /** Number of the call in the run, rising. */
  readonly number: number
  /** The step of the workload that made it: repeats of one request have the same step. */
  readonly step: number
  /** The client's idempotency key; null for reads and unkeyed requests. Two calls with one key may differ (misuse). */
  readonly key: string | null
  readonly request: Request
  /** World time, ms. */
  readonly calledAtMs: number
  /** Absent while nothing was heard. */
  readonly answer: AnyAnswer | null
  readonly answeredAtMs: number | null
}

/** Everything that clients asked and were told: all that the auditor's model may know of them. */
export interface History {
  calls(): readonly Call[]
  /** Records a call; the returned function records its answer, once. */
  begin(call: {
    readonly step: number
    readonly key: string | null
    readonly request: Request
  }): (answer: AnyAnswer) => void
}

/** Makes an empty history on the world's time. */
export const createHistory = (nowMs: () => number): History => {
  const calls: { -readonly [Field in keyof Call]: Call[Field] }[] = []
  return {
    calls: () => calls,
    begin: ({ step, key, request }) => {
      const call = {
        number: calls.length + 1,
        step,
        key,
        request,
        calledAtMs: nowMs(),
        answer: null,
        answeredAtMs: null,
      }
      const kept: (typeof calls)[number] = call
      calls.push(kept)
      return (answer) => {
        if (kept.answer !== null) throw new Error(`call ${kept.number} was answered twice`)
        kept.answer = answer
        kept.answeredAtMs = nowMs()
      }
    },
  }
}

/** Whether a refusal leaves open what happened: the request may have been executed. */
export const isUnclear = ({ code }: Refusal): boolean => code === 'UNAVAILABLE'
