import { memo, useCallback, useEffect, useMemo, useState } from 'react'
import type { Market } from '@bourse/client/shapes.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Panel } from '../design/surfaces.tsx'
import type { OpenPreview } from '../maths/preview.ts'
import type { PlannedLevels } from './chart-lines.ts'
import { usePrice, useStore } from '../session/hooks.ts'
import { useAvailable, useMaths, useTrader } from './hooks.ts'
import { DirectionField, GuardField, LeverageField, LevelFields, MarginField } from './ticket-fields.tsx'
import { PreviewFacts } from './ticket-preview.tsx'
import { TicketSend } from './ticket-send.tsx'
import { orderOf, readTicket, type Draft, type ReadTicket } from './ticket.ts'
import { readTyped } from './typed.ts'
import { nameOf } from './words.ts'

/** What the machine says of the ticket; null while something is missing, or the machine is not loaded yet. */
const usePreview = (market: Market, draft: Draft, read: ReadTicket): OpenPreview | null => {
  const price = usePrice(market.symbol)
  const maths = useMaths()
  const { margin, stopLossPrice, takeProfitPrice } = read
  const { direction, leverage } = draft
  const bid = price?.bid
  const ask = price?.ask
  return useMemo(() => {
    if (maths.value === null || margin === null || bid === undefined || ask === undefined) return null
    return maths.value.open(market, { direction, margin, leverage, stopLossPrice, takeProfitPrice }, { bid, ask })
  }, [maths, market, direction, margin, leverage, stopLossPrice, takeProfitPrice, bid, ask])
}

interface TicketProps {
  readonly market: Market
  /** Hears what the ticket would set, for the chart. */
  readonly onPlanned: (planned: PlannedLevels | null) => void
}

const usePlanned = (read: ReadTicket, preview: OpenPreview | null, onPlanned: TicketProps['onPlanned']): void => {
  const liquidationPrice = preview?.ok === true ? preview.liquidationPrice : null
  const { stopLossPrice, takeProfitPrice } = read
  useEffect(() => {
    const isNone = liquidationPrice === null && stopLossPrice === null && takeProfitPrice === null
    onPlanned(isNone ? null : { entryPrice: null, liquidationPrice, stopLossPrice, takeProfitPrice })
  }, [liquidationPrice, stopLossPrice, takeProfitPrice, onPlanned])
}

/** The draft of a market and the way to change it. */
const useDraft = (asset: string): readonly [Draft, (change: Partial<Draft>) => void] => {
  const { state } = useTrader()
  const levels = state.levels(asset)
  const order = useStore(state.order)
  const typed = useStore(levels)
  const draft = useMemo(() => ({ ...order, ...typed }), [order, typed])
  const change = useCallback(
    ({ stop, target, ...more }: Partial<Draft>) => {
      if (stop !== undefined || target !== undefined) {
        const before = levels.getSnapshot()
        levels.set({ stop: stop ?? before.stop, target: target ?? before.target })
      }
      if (Object.keys(more).length > 0) state.order.set({ ...state.order.getSnapshot(), ...more })
    },
    [levels, state.order],
  )
  return [draft, change]
}

/** The ticket as it stands at the price of now. */
const useTicket = (market: Market) => {
  const [draft, change] = useDraft(market.symbol)
  const price = usePrice(market.symbol)
  const available = useAvailable(market.quoteAsset)
  const read = readTicket(draft, { market, quote: price, available, parse: readTyped })
  const preview = usePreview(market, draft, read)
  return { draft, change, price, available, read, preview }
}

/** What an order would come to, or why there is no saying. */
const Preview = ({ market, read, preview }: { market: Market; read: ReadTicket; preview: OpenPreview | null }) => {
  const maths = useMaths()
  if (maths.failure !== null)
    return (
      <Banner
        tone="warn"
        title="No preview"
        action={
          <Button small onClick={maths.retry}>
            Try again
          </Button>
        }
      >
        It could not be loaded. The order itself works without it.
      </Banner>
    )
  if (preview?.ok !== true || read.margin === null) return null
  return <PreviewFacts market={market} margin={read.margin} preview={preview} />
}

/** The order ticket: what is asked for, what it would come to, and whether it can be sent now. */
export const Ticket = memo(({ market, onPlanned }: TicketProps) => {
  const { createTrade } = useTrader()
  const { draft, change, price, available, read, preview } = useTicket(market)
  usePlanned(read, preview, onPlanned)
  const [tried, setTried] = useState(false)
  const submit = (): void => {
    setTried(true)
    const order = orderOf(draft, market.symbol, read)
    if (order === null || preview?.ok === false) return
    void createTrade.submit(order)
    setTried(false)
  }
  const onChange = (changed: Partial<Draft>): void => {
    // A refusal was of the ticket as it was: it does not stand beside another one.
    if (createTrade.state.getSnapshot().kind === 'refused') createTrade.dismiss()
    change(changed)
  }
  const fields = { market, draft, read, quote: price, available, onChange }
  return (
    <Panel title={`Order ${nameOf(market.symbol)}`} area="ticket" testId="ticket">
      <form
        className="stack"
        id="ticket"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <DirectionField {...fields} />
        <MarginField {...fields} />
        <LeverageField {...fields} />
        <LevelFields {...fields} />
        <GuardField
          bps={draft.guardBps}
          worst={read.worstPrice}
          action="open"
          tickSize={market.tickSize}
          testId="ticket-guard"
          onBps={(guardBps) => onChange({ guardBps })}
        />
        <Preview market={market} read={read} preview={preview} />
        <TicketSend market={market} draft={draft} read={read} preview={preview} price={price} tried={tried} />
      </form>
    </Panel>
  )
})
Ticket.displayName = 'Ticket'
