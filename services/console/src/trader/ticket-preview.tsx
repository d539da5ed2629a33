import type { Market } from '@bourse/client/shapes.ts'
import { Fact, Facts } from '../design/surfaces.tsx'
import { formatDecimal, formatMoney, formatPrice, signOf } from '../format/decimal.ts'
import type { CloseAt, OpenPreview } from '../maths/preview.ts'
import { difference, sumOf } from './totals.ts'

const toneOf = (amount: string): string => ({ '-1': 'down', '0': '', '1': 'up' })[`${signOf(amount)}`]

/** An amount with its sign and tone; the sign says it, the colour repeats it. */
export const Signed = ({ amount, asset }: { readonly amount: string; readonly asset: string }) => (
  <span className={toneOf(amount)}>{formatMoney(amount, asset, { sign: true })}</span>
)

/** The same where the column says the asset. */
export const SignedNumber = ({ amount }: { readonly amount: string }) => (
  <span className={toneOf(amount)}>{formatDecimal(amount, { sign: true, minDecimals: 2 })}</span>
)

type Ready = Extract<OpenPreview, { readonly ok: true }>

/** What closing there changes of the balance: what returns less the margin and the open fee. */
const changeOf = (close: CloseAt, margin: string, openFee: string): string =>
  difference(close.returned, sumOf([margin, openFee]))

interface AtProps {
  readonly name: string
  readonly testId: string
  readonly close: CloseAt | null
  readonly preview: Ready
  readonly market: Market
  readonly margin: string
  readonly none: string
}

const At = ({ name, testId, close, preview, market, margin, none }: AtProps) => (
  <Fact name={name} testId={testId}>
    {close === null ? (
      <span className="soft">{none}</span>
    ) : (
      <Signed amount={changeOf(close, margin, preview.openFee)} asset={market.quoteAsset} />
    )}
  </Fact>
)

interface PreviewProps {
  readonly market: Market
  readonly margin: string
  readonly preview: Ready
}

/** What the engine's own machine says an order would come to at the price of now. */
export const PreviewFacts = ({ market, margin, preview }: PreviewProps) => {
  const { quoteAsset, baseAsset, tickSize } = market
  const shared = { preview, market, margin }
  const isEarly = preview.atStop?.reason === 'LIQUIDATION'
  return (
    <>
      <Facts lines>
        <Fact name="Opens at about" testId="preview-entryPrice">
          {formatPrice(preview.entryPrice, tickSize)}
        </Fact>
        <Fact name="Liquidated at" testId="preview-liquidationPrice">
          {preview.liquidationPrice === null ? (
            <span className="soft">no price above 0</span>
          ) : (
            formatPrice(preview.liquidationPrice, tickSize)
          )}
        </Fact>
        <Fact name="Lost at most" testId="preview-mostLost">
          {formatMoney(sumOf([margin, preview.openFee]), quoteAsset)}
        </Fact>
        <At name="At your stop" testId="preview-atStop" close={preview.atStop} none="no stop" {...shared} />
        <At name="At your target" testId="preview-atTarget" close={preview.atTarget} none="no target" {...shared} />
        <Fact name="Open fee" testId="preview-openFee">
          {formatMoney(preview.openFee, quoteAsset)}
        </Fact>
        <Fact name="Quantity" testId="preview-quantity">
          {formatMoney(preview.quantity, baseAsset)}
        </Fact>
        <Fact name="Notional" testId="preview-notional">
          {formatMoney(preview.notional, quoteAsset)}
        </Fact>
      </Facts>
      {isEarly ? (
        <p className="small warn" data-testid="preview-early">
          The liquidation price comes before this stop: the stop would never be reached.
        </p>
      ) : null}
      <p className="soft small">
        Stop and target include all fees, at exactly that price; after a jump the trade closes at the next one. You
        never lose more than the margin and the fee paid to open.
      </p>
    </>
  )
}
