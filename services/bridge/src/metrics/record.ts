import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { endedIn } from '../codec/ended.ts'

/** How trades end that no bug ends. */
const USUAL_OUTCOMES = ['COMPLETED', 'BANK_DECLINED', 'BANK_CONNECTION_ERROR', 'INSUFFICIENT_LIQUIDITY'] as const

/** Counts the trades that came to their end in the records of bridge partitions, told once of each record. */
export const createEndedTradeCount = (metrics: Metrics): (() => (record: JournalRecord) => void) => {
  const trades = metrics.counter('bourse_bridge_trades_total')
  const begun = new Set<string>()
  /** Shown from a bank's first end: of a series that appears with its first event nobody sees the increase. */
  const begin = (bank: string): void => {
    begun.add(bank)
    for (const side of ['buy', 'sell']) for (const outcome of USUAL_OUTCOMES) trades.inc({ bank, side, outcome }, 0)
  }
  const count = ({ outcomes }: JournalRecord): void => {
    for (const outcome of outcomes) {
      for (const { bank, type, code } of endedIn(outcome)) {
        if (type !== 'BUY' && type !== 'SELL') continue
        if (!begun.has(bank)) begin(bank)
        trades.inc({ bank, side: type.toLowerCase(), outcome: code === 'OK' ? 'COMPLETED' : code })
      }
    }
  }
  return () => count
}
