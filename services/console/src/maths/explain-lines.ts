import { formatAmount } from '@bourse/common/money/amount.ts'
import { divFloor } from '@bourse/common/money/rounding.ts'
import { directions, RATE_ONE, type TierSpec } from '@bourse/risk-rules/trading/codec.ts'

/** What a line is about. */
export type ExplanationName = 'pnl' | 'funding' | 'equity' | 'maintenance' | 'rule' | 'exitFee' | 'openFee' | 'returned'

/** One step: what it is called, its formula in words, the same with the trade's numbers, and what comes out. */
export interface ExplanationLine {
  readonly name: ExplanationName
  readonly label: string
  readonly formula: string
  readonly numbers: string
  /** A decimal string; of `rule` the words of the comparison. */
  readonly value: string
}

/** The maintenance margin at a price, and the tier that asks for it. `scaled` is in units of 1e-24. */
export interface Maintenance {
  readonly rate: bigint
  /** What makes the maintenance continuous where the tier begins; units of 1e-8. */
  readonly offset: bigint
  readonly scaled: bigint
}

const SCALE_RULE = 24

/** An integer of 1e-24 as a decimal string, all its digits. */
export const formatScaled = (scaled: bigint): string => {
  const negative = scaled < 0n
  const digits = (negative ? -scaled : scaled).toString().padStart(SCALE_RULE + 1, '0')
  const fraction = digits.slice(-SCALE_RULE).replace(/0+$/, '')
  return `${negative ? '-' : ''}${digits.slice(0, -SCALE_RULE)}${fraction === '' ? '' : `.${fraction}`}`
}

/** max over k of (m_k × q × X − c_k), c_0 = 0, c_k = floor(floor_k × (m_k − m_{k−1})) + c_{k−1} (contract cfd, "Tiers"). */
export const maintenanceOf = (tiers: readonly TierSpec[], quantity: bigint, price: bigint): Maintenance => {
  let most: Maintenance = { rate: 0n, offset: 0n, scaled: 0n }
  let offset = 0n
  let before: TierSpec | null = null
  for (const tier of tiers) {
    if (before !== null) offset += divFloor(tier.floor * (tier.rate - before.rate), RATE_ONE)
    const scaled = tier.rate * quantity * price - offset * RATE_ONE * RATE_ONE
    if (before === null || scaled > most.scaled) most = { rate: tier.rate, offset, scaled }
    before = tier
  }
  return most
}

/** What the lines are made of; units of 1e-8. */
export interface LinesInput {
  readonly direction: number
  readonly margin: bigint
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly exitPrice: bigint
  readonly pnl: bigint
  readonly fees: bigint
  readonly funding: bigint
  readonly returned: bigint
  readonly quoteAsset: string
  /** Rates by the market's present rules, for the words only. */
  readonly openBps: string
  readonly exitBps: string
  /** Null unless the trade was liquidated. */
  readonly maintenance: (Maintenance & { readonly amount: string }) | null
}

const RULE = 'a trade is liquidated when its equity is not more than its maintenance margin'

const pnlLine = ({ direction, quantity, entryPrice, exitPrice, pnl }: LinesInput): ExplanationLine => {
  const [q, entry, exit] = [formatAmount(quantity), formatAmount(entryPrice), formatAmount(exitPrice)]
  const long = direction === directions.LONG
  return {
    name: 'pnl',
    label: 'Gain or loss of the price',
    formula: `quantity × (${long ? 'exit − entry' : 'entry − exit'}), rounded down`,
    numbers: long ? `${q} × (${exit} − ${entry})` : `${q} × (${entry} − ${exit})`,
    value: formatAmount(pnl),
  }
}

const maintenanceLines = (input: LinesInput, equity: bigint): ExplanationLine[] => {
  const { maintenance, quantity, exitPrice } = input
  if (maintenance === null) return []
  const { rate, offset, amount } = maintenance
  const less = offset === 0n ? '' : ` − ${formatAmount(offset)}`
  return [
    {
      name: 'maintenance',
      label: 'Maintenance margin at the exit',
      formula: `maintenance rate × quantity × exit${offset === 0n ? '' : ' − the offset of the tier'}`,
      numbers: `${formatAmount(rate)} × ${formatAmount(quantity)} × ${formatAmount(exitPrice)}${less}`,
      value: amount,
    },
    {
      name: 'rule',
      label: 'Why it was closed',
      formula: RULE,
      numbers: `${formatAmount(equity)} ≤ ${amount}`,
      value: 'liquidated',
    },
  ]
}

/**
 * The lines from the price to what came back. The fees are the booked ones: what was kept of the rest, and what was paid
 * before.
 */
export const linesOf = (input: LinesInput): ExplanationLine[] => {
  const { margin, quantity, entryPrice, exitPrice, pnl, fees, funding, returned } = input
  const equity = margin + pnl - funding
  const rest = equity > 0n ? equity : 0n
  const exitFee = rest - returned
  const money = formatAmount
  const term = (units: bigint): string => (units < 0n ? `(${money(units)})` : money(units))
  const exitFeeName = input.maintenance === null ? 'close fee' : 'liquidation fee'
  const fundingLine: ExplanationLine = {
    name: 'funding',
    label: funding < 0n ? 'Funding received' : 'Funding paid',
    formula: 'what was charged at the funding times while the trade was open; negative when received',
    numbers: money(funding),
    value: money(funding),
  }
  return [
    pnlLine(input),
    ...(funding === 0n ? [] : [fundingLine]),
    {
      name: 'equity',
      label: 'Equity at the exit',
      formula: 'margin + gain or loss − funding',
      numbers: `${money(margin)} + ${term(pnl)} − ${term(funding)}`,
      value: money(equity),
    },
    ...maintenanceLines(input, equity),
    {
      name: 'exitFee',
      label: input.maintenance === null ? 'Close fee' : 'Liquidation fee',
      formula: `quantity × exit × ${input.exitBps} ÷ 10000, rounded up, and never more than the equity`,
      numbers: `${money(quantity)} × ${money(exitPrice)} × ${input.exitBps} ÷ 10000`,
      value: money(exitFee),
    },
    {
      name: 'openFee',
      label: 'Open fee, paid before',
      formula: `quantity × entry × ${input.openBps} ÷ 10000, rounded up`,
      numbers: `${money(quantity)} × ${money(entryPrice)} × ${input.openBps} ÷ 10000`,
      value: money(fees - exitFee),
    },
    {
      name: 'returned',
      label: `Returned, ${input.quoteAsset}`,
      formula: `equity − ${exitFeeName}, never below zero`,
      numbers: `${money(rest)} − ${money(exitFee)}`,
      value: money(returned),
    },
  ]
}
