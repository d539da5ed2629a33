import type { Market, Price } from '@bourse/client/shapes.ts'
import { Button } from '../design/controls.tsx'
import { Banner } from '../design/surfaces.tsx'
import { formatPrice } from '../format/decimal.ts'
import { refusalWords } from '../format/refusals.ts'
import type { OpenPreview } from '../maths/preview.ts'
import { useStore } from '../session/hooks.ts'
import { useConditions, useTrader } from './hooks.ts'
import { isBusy } from './intent.ts'
import { IntentNotice } from './intent-notice.tsx'
import { openingPrice } from './levels.ts'
import { hindranceOf, type Hindrance } from './readiness.ts'
import type { Draft, ReadTicket } from './ticket.ts'
import { directionWords } from './words.ts'

const Refused = ({ preview }: { readonly preview: Extract<OpenPreview, { ok: false }> }) => {
  const { title, what, remedy } = refusalWords(preview.code)
  return (
    <Banner tone="warn" title={title} testId="notice-refusal">
      {what} {remedy}
    </Banner>
  )
}

/** Why the button can't be pressed, beside it, with the way out. */
const Hindered = ({ hindrance, id }: { readonly hindrance: Hindrance; readonly id: string }) => {
  const trader = useTrader()
  return (
    <div className="ticket-hindrance" id={id} data-testid="ticket-reason" role="status">
      <span>{hindrance.words}</span>
      {hindrance.act === 'sign-in' ? (
        <Button small tone="primary" onClick={() => trader.state.dialog.set('sign-in')}>
          Sign in
        </Button>
      ) : null}
      {hindrance.act === 'open-account' ? (
        <Button small tone="primary" onClick={() => void trader.openAccount()}>
          Open my account
        </Button>
      ) : null}
    </div>
  )
}

/** What is missing in the ticket itself. */
const missing = (read: ReadTicket, preview: OpenPreview | null): string | null => {
  if (read.margin === null && read.faults.margin === null) return 'Enter a margin.'
  if (!read.complete) return 'Something above is not right yet: it says what.'
  if (preview?.ok === false) return 'The market would refuse this: it says why above.'
  return null
}

interface SendProps {
  readonly market: Market
  readonly draft: Draft
  readonly read: ReadTicket
  readonly preview: OpenPreview | null
  readonly price: Price | null
  /** Somebody tried to send: what is missing is said from then on. */
  readonly tried: boolean
}

/** The button, and beside it why it can't be pressed, or what became of the order. */
export const TicketSend = ({ market, draft, read, preview, price, tried }: SendProps) => {
  const { createTrade } = useTrader()
  const sent = useStore(createTrade.state)
  const hindrance = hindranceOf('open', useConditions(market))
  const lack = hindrance === null && tried ? missing(read, preview) : null
  const isBlocked = hindrance !== null || isBusy(sent) || sent.kind === 'unknown' || preview?.ok === false
  const at = price === null ? '' : ` at ${formatPrice(openingPrice(draft.direction, price), market.tickSize)}`
  return (
    <div className="ticket-send stack-tight">
      {preview?.ok === false && read.complete && hindrance === null ? <Refused preview={preview} /> : null}
      {hindrance === null ? null : <Hindered hindrance={hindrance} id="ticket-reason" />}
      {lack === null ? null : (
        <p className="field-fault" role="alert" id="ticket-reason" data-testid="ticket-reason">
          {lack}
        </p>
      )}
      {hindrance?.name === 'session' && sent.kind === 'refused' ? null : (
        <IntentNotice intent={createTrade} name="order" doing="opening the trade" />
      )}
      <Button
        type="submit"
        tone={draft.direction === 'LONG' ? 'up' : 'down'}
        busy={isBusy(sent)}
        disabled={isBlocked}
        aria-describedby={hindrance === null && lack === null ? undefined : 'ticket-reason'}
        data-testid="ticket-submit"
      >
        {`${directionWords[draft.direction]} ${draft.leverage}×${at}`}
      </Button>
    </div>
  )
}
