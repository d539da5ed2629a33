import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'

/** How much of a limit is used. */
export interface LimitUse {
  /** What is left, a decimal string; never below zero. */
  readonly left: string
  /** Whole percent used, rounded up, so that it says 100 from the first unit over 99 on; at most 100. */
  readonly percent: number
  readonly tone: 'good' | 'warn' | 'danger'
}

/** From this much on it is worth a look. */
const WARN_PERCENT = 80

/** How much of a limit is used, both decimal strings; exact. Null when there is no limit. */
export const useOfLimit = (used: string, limit: string | null): LimitUse | null => {
  if (limit === null) return null
  const usedUnits = parseAmount(used)
  const limitUnits = parseAmount(limit)
  const leftUnits = usedUnits < limitUnits ? limitUnits - usedUnits : 0n
  const percent = leftUnits === 0n ? 100 : Math.min(100, Number((usedUnits * 100n + limitUnits - 1n) / limitUnits))
  const tone = leftUnits === 0n ? 'danger' : percent >= WARN_PERCENT ? 'warn' : 'good'
  return { left: formatAmount(leftUnits), percent, tone }
}

/** What a customer can spend or sell: the balance without its locked part, exact. */
export const availableOf = ({
  balance,
  lockedBalance,
}: {
  readonly balance: string
  readonly lockedBalance: string
}): string => formatAmount(parseAmount(balance) - parseAmount(lockedBalance))
