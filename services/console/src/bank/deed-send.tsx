import { useMutation } from '@tanstack/react-query'
import { Bar } from '../design/bar.tsx'
import { Button } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Fact, Facts } from '../design/surfaces.tsx'
import { useNow } from '../design/use-now.ts'
import { formatMoney, formatPrice } from '../format/decimal.ts'
import { useStore } from '../session/hooks.ts'
import { countdownOf, quoteDeadlineMs, type Countdown } from './countdown.ts'
import { deedWords, isTrade } from './deed-form.ts'
import { useDesk, type GivenQuote } from './desk.ts'
import { explain } from './desk-words.ts'
import { isOpen, type Deed, type DeedKind } from './intent.ts'
import type { BankPair } from './shapes.ts'

interface DeedSendProps {
  /** What is typed, when nothing is wrong with it. */
  readonly deed: Deed | null
  readonly kind: DeedKind
  readonly pair: BankPair
  readonly ttlSeconds: number
  /** Says what is wrong with the fields, or gives the deed. */
  readonly judge: () => Deed | null
}

const REFRESH_MS = 200

const sameTrade = (one: Deed, other: Deed | null): boolean =>
  other !== null &&
  one.kind === other.kind &&
  one.bankUserId === other.bankUserId &&
  one.amount === other.amount &&
  one.currency === other.currency

/** How long the quote still holds; at its end the buttons that use it go. */
const Life = ({ left }: { readonly left: Countdown }) => (
  <Bar
    label="Time the quote still holds"
    percent={left.percent}
    tone={left.isOver ? 'danger' : left.seconds <= 3 ? 'warn' : 'good'}
    words={left.isOver ? 'This quote has expired. Ask for another.' : `Holds for ${left.seconds} s`}
  />
)

interface QuoteCardProps {
  readonly given: GivenQuote
  readonly pair: BankPair
  readonly ttlSeconds: number
  readonly isStale: boolean
  readonly busy: boolean
  readonly onUse: () => void
  readonly onGone: () => void
}

const QuoteCard = ({ given, pair, ttlSeconds, isStale, busy, onUse, onGone }: QuoteCardProps) => {
  const { api } = useDesk()
  const now = useNow(REFRESH_MS)
  const left = countdownOf(given.deadlineMs, ttlSeconds * 1_000, now)
  const back = useMutation({ mutationFn: () => api.takeBack(given.quote.quoteId), onSuccess: onGone })
  const { quote, deed } = given
  const [pays, gets] =
    deed.kind === 'BUY'
      ? [formatMoney(quote.fiatAmount, pair.quoteAsset), formatMoney(quote.cryptoAmount, pair.baseAsset)]
      : [formatMoney(quote.cryptoAmount, pair.baseAsset), formatMoney(quote.fiatAmount, pair.quoteAsset)]
  return (
    <div className="quote stack" data-testid="quote">
      <Facts>
        <Fact name={`${pair.quoteAsset} for one ${pair.baseAsset}`}>
          <strong data-testid="quote-price">{formatPrice(quote.price, pair.tickSize)}</strong>
        </Fact>
        <Fact name="The customer pays">{pays}</Fact>
        <Fact name="The customer gets">{gets}</Fact>
      </Facts>
      <Life left={left} />
      {isStale ? <p className="field-hint">The fields changed since: this quote is for what they were.</p> : null}
      {back.error === null ? null : <Refused {...explain(back.error)} tone="warn" />}
      <div className="row">
        {left.isOver ? (
          <Button onClick={onGone}>Put it away</Button>
        ) : (
          <>
            <Button tone="primary" busy={busy} disabled={isStale} onClick={onUse} data-testid="quote-use">
              {deed.kind === 'BUY' ? 'Buy at this price' : 'Sell at this price'}
            </Button>
            <Button busy={back.isPending} onClick={() => back.mutate()} data-testid="quote-take-back">
              Take the quote back
            </Button>
          </>
        )}
      </div>
    </div>
  )
}

/** Ways to do what is typed: on a quote, at the market, or, for fiat, at once. Closed while the end of another is open. */
export const DeedSend = ({ deed, kind, pair, ttlSeconds, judge }: DeedSendProps) => {
  const { api, deeds, quote } = useDesk()
  const intent = useStore(deeds)
  const given = useStore(quote)
  const asking = useMutation({
    mutationFn: async (asked: Deed & { readonly kind: 'BUY' | 'SELL' }): Promise<GivenQuote> => {
      const askedAtMs = Date.now()
      const { bankUserId, amount, currency } = asked
      const made = await api.quote({ bankUserId, amount, currency, side: asked.kind })
      return { quote: made, deed: asked, deadlineMs: quoteDeadlineMs(askedAtMs, ttlSeconds) }
    },
    onSuccess: quote.set,
  })
  const blocked = isOpen(intent)
  const send = (asked: Deed): void => {
    quote.set(null)
    void deeds.send(asked)
  }
  const ask = (): void => {
    const judged = judge()
    if (judged !== null && isTrade(judged.kind)) asking.mutate({ ...judged, kind: judged.kind })
  }
  const sendJudged = (): void => {
    const judged = judge()
    if (judged !== null) send(judged)
  }
  const nameless = isTrade(kind) ? (kind === 'BUY' ? 'Buy' : 'Sell') : kind === 'DEPOSIT' ? 'Deposit' : 'Withdraw'
  const words = deed === null ? nameless : deedWords(deed, pair)
  return (
    <div className="stack">
      {asking.error === null ? null : <Refused {...explain(asking.error)} />}
      {given === null ? null : (
        <QuoteCard
          key={given.quote.quoteId}
          given={given}
          pair={pair}
          ttlSeconds={ttlSeconds}
          isStale={!sameTrade(given.deed, deed)}
          busy={blocked}
          onUse={() => send({ ...given.deed, quoteId: given.quote.quoteId })}
          onGone={() => quote.set(null)}
        />
      )}
      <div className="row deed-ways">
        {isTrade(kind) ? (
          <Button
            tone={given === null ? 'primary' : 'plain'}
            busy={asking.isPending}
            disabled={blocked}
            onClick={ask}
            data-testid="quote-ask"
          >
            {given === null ? 'Ask for a quote' : 'Ask for another quote'}
          </Button>
        ) : null}
        <Button
          tone={isTrade(kind) ? 'plain' : 'primary'}
          busy={intent.step === 'sending'}
          disabled={blocked}
          onClick={sendJudged}
          data-testid="trade-submit"
        >
          {isTrade(kind) ? `${words}, at the market` : words}
        </Button>
      </div>
      {blocked && intent.step !== 'sending' ? (
        <p className="field-hint">First find out below how the last request ended.</p>
      ) : null}
    </div>
  )
}
