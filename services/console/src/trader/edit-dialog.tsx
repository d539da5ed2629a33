import { useEffect, useState } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import type { DeskTrade } from '../session/trades.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Dialog, Fact, Facts } from '../design/surfaces.tsx'
import { formatMoney } from '../format/decimal.ts'
import { isBehindLiquidation, readEdit, setsPrice, updateOf, type LevelEdit } from './changes.ts'
import { usePrice, useStore } from '../session/hooks.ts'
import { useConditions, useTrader } from './hooks.ts'
import { isBusy } from './intent.ts'
import { IntentNotice } from './intent-notice.tsx'
import { closingPrice } from './levels.ts'
import { hindranceOf } from './readiness.ts'
import { settleAt } from './settle.ts'
import { LevelField } from './ticket-fields.tsx'
import { Signed } from './ticket-preview.tsx'
import { readTyped, typedText } from './typed.ts'
import { directionWords, nameOf } from './words.ts'

interface Props {
  readonly trade: DeskTrade
  readonly market: Market
  readonly onEnd: () => void
}

interface ResultProps {
  readonly name: string
  readonly edit: LevelEdit
  readonly trade: DeskTrade
  readonly market: Market
}

/** What the trade comes to when it closes exactly there. */
const Result = ({ name, edit, trade, market }: ResultProps) => {
  if (edit.price === null || edit.fault !== null)
    return (
      <Fact name={name}>
        <span className="soft">none</span>
      </Fact>
    )
  const { change, returned } = settleAt({ ...trade, funding: trade.funding ?? '0' }, edit.price, market.fees.closeBps)
  return (
    <Fact name={name} testId={`edit-${name === 'At the stop' ? 'atStop' : 'atTarget'}`}>
      <Signed amount={change} asset={market.quoteAsset} />
      <span className="soft small"> returns {formatMoney(returned, market.quoteAsset)}</span>
    </Fact>
  )
}

const textOf = (price: string | null): string => (price === null ? '' : typedText(price))

/** Stop and target of an open trade: sets, moves or takes them away, and says what closing there would come to. */
export const EditDialog = ({ trade, market, onEnd }: Props) => {
  const { updateTrade } = useTrader()
  const quote = usePrice(trade.asset)
  const sent = useStore(updateTrade.state)
  const conditions = useConditions(market)
  // What was asked of another trade goes on behind this dialog, and says nothing about this one.
  const isMine = updateTrade.asked()?.tradeId === trade.tradeId
  const isSent = isMine && isBusy(sent)
  // A field that nobody touched follows the trade: another tab may have moved its price, which must not be put back.
  const [typedStop, setStopText] = useState<string | null>(null)
  const [typedTarget, setTargetText] = useState<string | null>(null)
  const stopText = typedStop ?? textOf(trade.stopLossPrice)
  const targetText = typedTarget ?? textOf(trade.takeProfitPrice)
  const context = { trade, market, quote, parse: readTyped }
  const stop = readEdit('stop', stopText, context)
  const target = readEdit('target', targetText, context)
  const update = updateOf(trade.tradeId, stop, target)
  // Taking a price away needs neither a price nor an open market, only a connection and a session.
  const hindrance =
    update === null || setsPrice(update)
      ? hindranceOf('update', conditions)
      : hindranceOf('update', { ...conditions, marketState: 'Open', freshness: 'fresh' })
  useEffect(() => {
    if (sent.kind === 'done' && sent.answer.tradeId === trade.tradeId) {
      updateTrade.dismiss()
      onEnd()
    }
  }, [sent, trade.tradeId, updateTrade, onEnd])
  const end = (): void => {
    if (isMine) updateTrade.dismiss()
    onEnd()
  }
  const reference = quote === null ? null : closingPrice(trade.direction, quote)
  const shared = { draft: trade, market, reference }
  const results = { trade, market }
  return (
    <Dialog
      title={`Stop and target: ${directionWords[trade.direction]} ${trade.leverage}× ${nameOf(trade.asset)}`}
      open
      onClose={end}
    >
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (update !== null && hindrance === null) void updateTrade.submit(update)
        }}
      >
        <LevelField
          {...shared}
          kind="stop"
          autoFocus
          value={stopText}
          fault={stop.fault}
          testId="edit-stop"
          onValue={setStopText}
        />
        <LevelField
          {...shared}
          kind="target"
          value={targetText}
          fault={target.fault}
          testId="edit-target"
          onValue={setTargetText}
        />
        <Facts lines>
          <Result name="At the stop" edit={stop} {...results} />
          <Result name="At the target" edit={target} {...results} />
        </Facts>
        {stop.price !== null && stop.fault === null && isBehindLiquidation(trade, stop.price) ? (
          <p className="small warn">The liquidation price comes before this stop: the stop would never be reached.</p>
        ) : null}
        <p className="soft small">
          With the close fee and the funding so far; the open fee was paid before. After a jump of the price the trade
          closes at the next one, not exactly here.
        </p>
        {hindrance === null ? null : (
          <Banner tone="warn" title="Not now" testId="edit-reason">
            {hindrance.words}
          </Banner>
        )}
        {isMine || sent.kind === 'unknown' ? (
          <IntentNotice
            intent={updateTrade}
            name="update"
            doing={isMine ? 'changing stop and target' : 'changing stop and target of another trade'}
          />
        ) : null}
        <div className="row">
          <Button
            type="submit"
            tone="primary"
            busy={isSent}
            disabled={update === null || hindrance !== null || isBusy(sent) || sent.kind === 'unknown'}
            data-testid="edit-submit"
          >
            Save
          </Button>
          {/* What was sent can't be called back, so nothing offers that. */}
          <Button onClick={end}>{isSent ? 'Hide this, it is saved all the same' : 'Leave as it is'}</Button>
        </div>
      </form>
    </Dialog>
  )
}
