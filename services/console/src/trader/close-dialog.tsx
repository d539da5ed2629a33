import { useEffect, useState } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import type { DeskTrade } from '../session/trades.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Dialog, Fact, Facts } from '../design/surfaces.tsx'
import { formatMoney, formatPrice } from '../format/decimal.ts'
import { usePrice, useStore } from '../session/hooks.ts'
import { useConditions, useTrader } from './hooks.ts'
import { isBusy } from './intent.ts'
import { IntentNotice } from './intent-notice.tsx'
import { closingPrice, guardPrice } from './levels.ts'
import { hindranceOf } from './readiness.ts'
import { settleAt } from './settle.ts'
import { GuardField } from './ticket-fields.tsx'
import { Signed } from './ticket-preview.tsx'
import { directionWords, nameOf } from './words.ts'

interface Props {
  readonly trade: DeskTrade
  readonly market: Market
  readonly onEnd: () => void
}

/** What closing at the price of now would give. */
const Outcome = ({ trade, market }: Omit<Props, 'onEnd'>) => {
  const quote = usePrice(trade.asset)
  if (quote === null) return <p className="soft">There is no price of this market yet.</p>
  const exit = closingPrice(trade.direction, quote)
  const { pnl, fee, returned } = settleAt({ ...trade, funding: trade.funding ?? '0' }, exit, market.fees.closeBps)
  return (
    <Facts lines>
      <Fact name="Closes at about">{formatPrice(exit, market.tickSize)}</Fact>
      <Fact name="Gain or loss">
        <Signed amount={pnl} asset={market.quoteAsset} />
      </Fact>
      <Fact name="Close fee">{formatMoney(fee, market.quoteAsset)}</Fact>
      <Fact name="Returns about" testId="close-returned">
        {formatMoney(returned, market.quoteAsset)}
      </Fact>
    </Facts>
  )
}

/** Asks before a trade is closed: says what returns about now, bounds the price. */
export const CloseDialog = ({ trade, market, onEnd }: Props) => {
  const { closeTrade } = useTrader()
  const quote = usePrice(trade.asset)
  const sent = useStore(closeTrade.state)
  // What was asked of another trade goes on behind this dialog, and says nothing about this one.
  const isMine = closeTrade.asked()?.tradeId === trade.tradeId
  const isSent = isMine && isBusy(sent)
  const hindrance = hindranceOf('close', useConditions(market))
  const [guardBps, setGuardBps] = useState<number | null>(50)
  const worst =
    guardBps === null || quote === null
      ? null
      : guardPrice('close', trade.direction, { quote, bps: guardBps, tickSize: market.tickSize })
  useEffect(() => {
    if (sent.kind !== 'done' || sent.answer.tradeId !== trade.tradeId) return
    closeTrade.dismiss()
    onEnd()
  }, [sent, trade.tradeId, closeTrade, onEnd])
  const end = (): void => {
    if (isMine) closeTrade.dismiss()
    onEnd()
  }
  return (
    <Dialog
      title={`Close ${directionWords[trade.direction]} ${trade.leverage}× ${nameOf(trade.asset)}`}
      open
      dismiss={isSent ? 'Hide' : 'Cancel'}
      onClose={end}
    >
      <Outcome trade={trade} market={market} />
      <GuardField
        bps={guardBps}
        worst={worst}
        action="close"
        tickSize={market.tickSize}
        testId="close-guard"
        onBps={setGuardBps}
      />
      {hindrance === null ? null : (
        <Banner tone="warn" title="Not now" testId="close-reason">
          {hindrance.words}
        </Banner>
      )}
      {isMine ? <IntentNotice intent={closeTrade} name="close" doing="closing the trade" /> : null}
      {!isMine && sent.kind === 'unknown' ? (
        <IntentNotice intent={closeTrade} name="close" doing="closing another trade" />
      ) : null}
      {!isMine && isBusy(sent) ? (
        <Banner tone="info" title="Another trade is being closed" testId="notice-close">
          It has no answer yet. This one can be closed as soon as that one has.
        </Banner>
      ) : null}
      <div className="row">
        <Button
          tone="danger"
          busy={isSent}
          disabled={hindrance !== null || isBusy(sent) || sent.kind === 'unknown'}
          data-testid="close-submit"
          onClick={() =>
            void closeTrade.submit({ tradeId: trade.tradeId, ...(worst === null ? {} : { worstPrice: worst }) })
          }
        >
          Close the trade
        </Button>
        {/* What was sent can't be called back, so nothing offers that. */}
        <Button onClick={end}>{isSent ? 'Hide this, it closes all the same' : 'Keep it open'}</Button>
      </div>
    </Dialog>
  )
}
