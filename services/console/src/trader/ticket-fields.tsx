import type { Market } from '@bourse/client/shapes.ts'
import { Button, Choice, NumberField, SelectField, SliderField } from '../design/controls.tsx'
import { formatMoney, formatPrice } from '../format/decimal.ts'
import { leverageMax, marginFor } from './funds.ts'
import { levelAtMove, openingPrice, percentText, type LevelKind, type QuoteText } from './levels.ts'
import { guardChoices, type Draft, type ReadTicket } from './ticket.ts'
import { typedText } from './typed.ts'
import { directionHints } from './words.ts'

/** What every field of the ticket is given. */
export interface FieldsProps {
  readonly market: Market
  readonly draft: Draft
  readonly read: ReadTicket
  readonly quote: QuoteText | null
  readonly available: string | null
  /** Faults are shown once somebody typed or tried to send. */
  readonly onChange: (change: Partial<Draft>) => void
}

/** Long or short, and what each wins on. */
export const DirectionField = ({ draft, onChange }: FieldsProps) => (
  <div className="stack-tight">
    <Choice
      legend="Direction"
      value={draft.direction}
      options={[
        { value: 'LONG', label: 'Long', tone: 'up' },
        { value: 'SHORT', label: 'Short', tone: 'down' },
      ]}
      onValue={(direction) => onChange({ direction })}
    />
    <p className="soft small">{directionHints[draft.direction]}</p>
  </div>
)

const SHARES = [25, 50, 75, 100] as const

/** The margin, and shares of what is available: "all" leaves room for the open fee's hold. */
export const MarginField = ({ market, draft, read, available, onChange }: FieldsProps) => (
  <div className="stack-tight">
    <NumberField
      label="Margin"
      unit={market.quoteAsset}
      value={draft.margin}
      fault={read.faults.margin}
      hint={
        available === null
          ? 'What you put in; the most this trade can cost besides the open fee.'
          : `${formatMoney(available, market.quoteAsset)} available`
      }
      data-testid="ticket-margin"
      onValue={(margin) => onChange({ margin })}
    />
    <div className="row" role="group" aria-label="Margin as a share of what is available">
      {SHARES.map((percent) => (
        <Button
          key={percent}
          small
          disabled={available === null}
          data-testid={`ticket-share-${percent}`}
          onClick={() => {
            if (available === null) return
            const { leverage } = draft
            onChange({ margin: typedText(marginFor(available, percent, { leverage, openBps: market.fees.openBps })) })
          }}
        >
          {percent === 100 ? 'All available' : `${percent} %`}
        </Button>
      ))}
    </div>
  </div>
)

/** The leverage within the market's tiers: the more is traded, the less is allowed. */
export const LeverageField = ({ market, draft, read, onChange }: FieldsProps) => {
  const { maxLeverage } = market.margin
  const allowed = leverageMax(market, read.margin)
  return (
    <SliderField
      label="Leverage"
      min={1}
      max={maxLeverage}
      value={Math.min(draft.leverage, maxLeverage)}
      valueText={`${draft.leverage} times`}
      fault={read.faults.leverage}
      {...(allowed < maxLeverage ? { hint: `At most ${allowed}× for this margin.` } : {})}
      testId="ticket-leverage"
      onValue={(leverage) => onChange({ leverage })}
    />
  )
}

const MOVES_BPS: Readonly<Record<LevelKind, readonly number[]>> = {
  stop: [100, 200, 500],
  target: [100, 200, 500],
}

interface LevelProps {
  readonly kind: LevelKind
  readonly draft: Pick<Draft, 'direction'>
  readonly market: Market
  /** What moves are counted from. */
  readonly reference: string | null
  readonly value: string
  readonly fault: string | null
  readonly onValue: (value: string) => void
  readonly testId: string
  /** Where a dialog begins. */
  readonly autoFocus?: boolean
}

/** A stop or a target: a price, or a move from the price of now that is snapped to the market's grid. */
export const LevelField = ({
  kind,
  draft,
  market,
  reference,
  value,
  fault,
  onValue,
  testId,
  autoFocus = false,
}: LevelProps) => {
  const isUp = (kind === 'target') === (draft.direction === 'LONG')
  const name = kind === 'stop' ? 'Stop' : 'Target'
  return (
    <div className="stack-tight">
      <NumberField
        label={`${name} price`}
        placeholder="none"
        data-autofocus={autoFocus ? true : undefined}
        unit={market.quoteAsset}
        value={value}
        fault={fault}
        data-testid={testId}
        onValue={onValue}
      />
      <div className="row" role="group" aria-label={`${name} as a move from the price of now`}>
        {MOVES_BPS[kind].map((bps) => (
          <Button
            key={bps}
            small
            disabled={reference === null}
            onClick={() => {
              if (reference === null) return
              const level = levelAtMove(kind, draft.direction, { reference, bps, tickSize: market.tickSize })
              onValue(level === null ? '' : typedText(level))
            }}
          >
            {percentText(isUp ? bps : -bps, { short: true })}
          </Button>
        ))}
        {value === '' ? null : (
          <Button small onClick={() => onValue('')} aria-label={`None: take the ${name.toLowerCase()} away`}>
            None
          </Button>
        )}
      </div>
    </div>
  )
}

/** Stop and target of the ticket. */
export const LevelFields = ({ market, draft, read, quote, onChange }: FieldsProps) => {
  const reference = quote === null ? null : openingPrice(draft.direction, quote)
  const shared = { market, draft, reference }
  return (
    <div className="ticket-levels">
      <LevelField
        {...shared}
        kind="stop"
        value={draft.stop}
        fault={read.faults.stop}
        testId="ticket-stop"
        onValue={(stop) => onChange({ stop })}
      />
      <LevelField
        {...shared}
        kind="target"
        value={draft.target}
        fault={read.faults.target}
        testId="ticket-target"
        onValue={(target) => onChange({ target })}
      />
    </div>
  )
}

const guardLabel = (bps: number | null): string =>
  bps === null ? 'Off: any price' : `At most ${percentText(bps, { signed: false, short: true })} worse`

const guardHint = (action: 'open' | 'close', bps: number | null, worst: string): string =>
  bps === null
    ? `The trade ${action}s at whatever the price is by then, however far it has moved.`
    : `Beyond ${worst} nothing happens, and you are told.`

interface GuardProps {
  readonly bps: number | null
  readonly worst: string | null
  readonly action: 'open' | 'close'
  readonly tickSize: string
  readonly onBps: (bps: number | null) => void
  readonly testId: string
}

/** The bound on the price: between what is shown and what happens the price may move. */
export const GuardField = ({ bps, worst, action, tickSize, onBps, testId }: GuardProps) => (
  <SelectField
    label="Worst price"
    value={bps === null ? 'off' : String(bps)}
    options={guardChoices.map((choice) => ({
      value: choice === null ? 'off' : String(choice),
      label: guardLabel(choice),
    }))}
    hint={guardHint(action, bps, worst === null ? 'the bound' : formatPrice(worst, tickSize))}
    data-testid={testId}
    onValue={(value) => onBps(value === 'off' ? null : Number(value))}
  />
)
