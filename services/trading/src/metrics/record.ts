import { codeOfNumber, refusalNumbers } from '@bourse/common/errors/codes.ts'
import { kindOf } from '@bourse/common/kernel/command.ts'
import { OUTCOME_HEADER_BYTES } from '@bourse/common/kernel/outcome.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import {
  closedTradeLayout,
  closeReasons,
  directions,
  listHeadLayout,
  openTradeLayout,
  TRADING_KEPT_BYTES,
  tradingKinds,
} from '@bourse/risk-rules/trading/codec.ts'
import type { AssetOfPartition } from '../codec/asset.ts'

const DIRECTION_NAMES = new Map(Object.entries(directions).map(([name, number]) => [number, name.toLowerCase()]))
/** `USER` is whoever owns the trade: a client. */
const REASON_NAMES = new Map(
  Object.entries(closeReasons).map(([name, number]) => [number, name === 'USER' ? 'client' : name.toLowerCase()]),
)
/** Refusals that say something about the market, not about the order. */
const MARKET_CODES = ['PRICE_STALE', 'MARKET_HALTED', 'CAPACITY_EXCEEDED', 'ENGINE_FAULT'] as const

/** Commands of clients: their refusals are counted. */
const orderKinds: ReadonlySet<number> = new Set([tradingKinds.open, tradingKinds.close, tradingKinds.update])

/** What a record did, added up before any series is touched: a batch has many commands and few labels. */
interface RecordCounts {
  readonly opens: Map<number, number>
  readonly closes: Map<number, number>
  readonly refusals: Map<number, number>
  deficits: number
  deficitUnits: bigint
}

const add = (counts: Map<number, number>, number: number): void => {
  counts.set(number, (counts.get(number) ?? 0) + 1)
}

/** Byte by byte: this is done for every command, and a DataView for each would cost more than all the rest of it. */
const u32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

const DIRECTION_AT = OUTCOME_HEADER_BYTES + openTradeLayout.offsets.direction
const COUNT_AT = OUTCOME_HEADER_BYTES + listHeadLayout.offsets.count
const CLOSED_AT = OUTCOME_HEADER_BYTES + listHeadLayout.bytes
const KEPT_BYTES = OUTCOME_HEADER_BYTES + TRADING_KEPT_BYTES

const countClosed = (counts: RecordCounts, outcome: Uint8Array, at: number): void => {
  add(counts.closes, u32At(outcome, at + closedTradeLayout.offsets.reason))
  const deficitAt = at + closedTradeLayout.offsets.deficit
  if (u32At(outcome, deficitAt) === 0 && u32At(outcome, deficitAt + 4) === 0) return
  counts.deficits += 1
  counts.deficitUnits += new DataView(outcome.buffer, outcome.byteOffset).getBigInt64(deficitAt, true)
}

const countOutcome = (counts: RecordCounts, kind: number, outcome: Uint8Array): void => {
  const isOrder = orderKinds.has(kind)
  if (!isOrder && kind !== tradingKinds.tick && kind !== tradingKinds.continue) return
  const code = outcome[4]! | (outcome[5]! << 8)
  if (code !== refusalNumbers.OK) {
    if (isOrder) add(counts.refusals, code)
  } else if (!isOrder) {
    const trades = u32At(outcome, COUNT_AT)
    for (let index = 0; index < trades; index++)
      countClosed(counts, outcome, CLOSED_AT + index * closedTradeLayout.bytes)
  } else if (outcome.length !== KEPT_BYTES) {
    // A repeat's outcome has the kept part only: what it tells of was counted when it happened.
    if (kind === tradingKinds.open) add(counts.opens, u32At(outcome, DIRECTION_AT))
    else if (kind === tradingKinds.close) countClosed(counts, outcome, OUTCOME_HEADER_BYTES)
  }
}

const nameIn = (names: ReadonlyMap<number, string>, number: number): string => {
  const name = names.get(number)
  if (name === undefined) throw new RangeError(`number ${number} has no name`)
  return name
}

/**
 * Counts what the records of trading partitions opened, closed and refused, told once of each record. A partition's series are
 * there at 0 from the moment it is asked for: of what appears with the first liquidation nobody would see the increase.
 */
export const createTradeCount = (
  metrics: Metrics,
  assetOf: AssetOfPartition,
): ((partition: PartitionNumber) => (record: JournalRecord) => void) => {
  const opens = metrics.counter('bourse_trading_opens_total')
  const closes = metrics.counter('bourse_trading_closes_total')
  const refusals = metrics.counter('bourse_trading_refusals_total')
  const deficits = metrics.counter('bourse_trading_deficits_total')
  const deficitUnits = metrics.counter('bourse_trading_deficit_units_total')
  const begin = (symbol: string): void => {
    for (const direction of DIRECTION_NAMES.values()) opens.inc({ symbol, direction }, 0)
    for (const reason of REASON_NAMES.values()) closes.inc({ symbol, reason }, 0)
    for (const code of MARKET_CODES) refusals.inc({ symbol, code }, 0)
    deficits.inc({ symbol }, 0)
    deficitUnits.inc({ symbol }, 0)
  }
  const count = ({ partition, inputs, outcomes }: JournalRecord): void => {
    const counts: RecordCounts = {
      opens: new Map(),
      closes: new Map(),
      refusals: new Map(),
      deficits: 0,
      deficitUnits: 0n,
    }
    for (let index = 0; index < inputs.length; index++) countOutcome(counts, kindOf(inputs[index]!), outcomes[index]!)
    const symbol = assetOf(partition)
    for (const [number, count] of counts.opens) opens.inc({ symbol, direction: nameIn(DIRECTION_NAMES, number) }, count)
    for (const [number, count] of counts.closes) closes.inc({ symbol, reason: nameIn(REASON_NAMES, number) }, count)
    for (const [number, count] of counts.refusals) refusals.inc({ symbol, code: codeOfNumber(number) }, count)
    if (counts.deficits === 0) return
    deficits.inc({ symbol }, counts.deficits)
    deficitUnits.inc({ symbol }, Number(counts.deficitUnits))
  }
  return (partition) => {
    begin(assetOf(partition))
    return count
  }
}
