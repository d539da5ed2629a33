import { useMemo } from 'react'
import type { ListedClosedTrade, Market } from '@bourse/client/shapes.ts'
import { Button } from '../design/controls.tsx'
import { Banner, Loading } from '../design/surfaces.tsx'
import { formatDecimal, formatPrice } from '../format/decimal.ts'
import type { Explanation, Proof } from '../maths/explain.ts'
import { reasonWords } from './history.ts'
import { useMaths } from './hooks.ts'

const proofWords = (proof: Proof, market: Market): string => {
  if (proof.verdict === 'RULES_CHANGED')
    return (
      `By the market's rules of today it would come out otherwise: ${proof.difference}. ` +
      'The rules were changed since; what was booked stays.'
    )
  const better = proof.leavesOpenAt
  const same =
    "Run again here by the engine's own machine: it opens this trade, closes it at the exit price " +
    'and comes to the same money'
  if (better === null) return `${same}.`
  return `${same}; at ${formatPrice(better, market.tickSize)}, one tick better than its liquidation price, it stays open.`
}

const valueOf = (value: string): string => (/^-?\d/.test(value) ? formatDecimal(value) : value)

const Steps = ({ explanation }: { readonly explanation: Explanation }) => (
  <ol className="explanation">
    {explanation.lines.map(({ name, label, formula, numbers, value }) => (
      <li key={name}>
        <div className="row-between">
          <strong>{label}</strong>
          <span className="number">{valueOf(value)}</span>
        </div>
        <div className="soft small">{formula}</div>
        <div className="soft small number explanation-numbers">{numbers}</div>
      </li>
    ))}
  </ol>
)

/** How the money of a closed trade came about, step by step; a liquidation is run again by the engine's machine. */
export const ExplanationOf = ({ trade, market }: { readonly trade: ListedClosedTrade; readonly market: Market }) => {
  const maths = useMaths()
  const preview = maths.value
  const explanation = useMemo(() => preview?.explain(market, trade) ?? null, [preview, market, trade])
  if (maths.failure !== null)
    return (
      <Banner
        tone="warn"
        title="The maths could not be loaded"
        action={
          <Button small onClick={maths.retry}>
            Try again
          </Button>
        }
      >
        What was booked is in the row above.
      </Banner>
    )
  if (explanation === null) return <Loading what="the explanation" />
  return (
    <div className="stack" data-testid="explanation">
      <p>{reasonWords[trade.reason].sentence}</p>
      <Steps explanation={explanation} />
      {explanation.proof === null ? null : (
        <p className="small" data-testid="explanation-proof">
          {proofWords(explanation.proof, market)}
        </p>
      )}
    </div>
  )
}
