import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord, type JournalRecord } from '@bourse/common/kernel/record.ts'
import { partitionTitle } from '@bourse/common/platform/topology.ts'
import {
  decodeCloseOutcome,
  decodeFundingOutcome,
  decodeOpen,
  decodeOpenOutcome,
  decodeSpec,
  decodeTickOutcome,
  decodeUpdate,
  decodeUpdateOutcome,
  isKeptOutcome,
  tradingKinds,
  type ClosedTrade,
  type OpenCommand,
  type OpenTrade,
  type SpecCommand,
  type UpdateCommand,
  type UpdatedTrade,
} from '@bourse/risk-rules/trading/codec.ts'
import { partitionOfTrade, placeOfTradeId, type TradePlace } from '@bourse/trading/codec/trade-id.ts'
import { InspectFault } from './fault.ts'
import type { InspectSource } from './source.ts'

/** Where in the journal something was decided. */
export interface JournalPlace {
  readonly sequence: bigint
  /** Ms. */
  readonly now: bigint
  readonly behaviour: number
}

/** How a trade began. */
export interface Opening extends JournalPlace {
  readonly command: Uint8Array
  readonly outcome: Uint8Array
  readonly open: OpenCommand
  readonly trade: OpenTrade
  readonly spec: SpecCommand
}

/** How a trade was given other stops. */
export interface Update extends JournalPlace {
  readonly command: Uint8Array
  readonly outcome: Uint8Array
  readonly update: UpdateCommand
  readonly trade: UpdatedTrade
  readonly spec: SpecCommand
  /** F, on which its liquidation price was told. */
  readonly funding: bigint
}

/** How a trade ended. `decidedBy` is the CLOSE or TICK with the quote; a long tick's CONTINUE has none of its own. */
export interface Closing extends JournalPlace {
  readonly trade: ClosedTrade
  readonly spec: SpecCommand
  /** F, on which it was judged. */
  readonly funding: bigint
  readonly decidedBy: Uint8Array
  /** Where that command is: before `sequence` when the trade was closed in the rest of a long tick. */
  readonly decidedAt: bigint
}

/** What a trading partition's journal says of a trade. */
export interface TradeHistory {
  readonly tradeId: string
  readonly place: TradePlace
  readonly partition: PartitionNumber
  readonly title: string
  readonly opening: Opening
  /** In their order. */
  readonly updates: readonly Update[]
  readonly closing: Closing | null
  /** F after the last record that was read. */
  readonly funding: bigint
}

/** What a walk over the journal remembers. */
interface Walk {
  spec: SpecCommand | null
  funding: bigint
  tick: { readonly command: Uint8Array; readonly sequence: bigint } | null
  opening: Opening | null
  readonly updates: Update[]
  closing: Closing | null
}

const closedIn = (kind: number, outcome: Uint8Array): readonly ClosedTrade[] => {
  if (kind === tradingKinds.close) return isKeptOutcome(outcome) ? [] : [decodeCloseOutcome(outcome)]
  return kind === tradingKinds.tick || kind === tradingKinds.continue ? decodeTickOutcome(outcome).closed : []
}

const follow = (walk: Walk, record: JournalRecord, index: number, tradeNumber: bigint): void => {
  const command = record.inputs[index]!
  const outcome = record.outcomes[index]!
  const { kind } = decodeHeader(command)
  if (decodeOutcomeHeader(outcome).code !== refusalNumbers.OK) return
  const { sequence, now, behaviour } = record
  if (kind === tradingKinds.spec) walk.spec = decodeSpec(command)
  if (kind === tradingKinds.tick) walk.tick = { command, sequence }
  if (kind === tradingKinds.tick || kind === tradingKinds.continue) walk.funding = decodeTickOutcome(outcome).funding
  if (kind === tradingKinds.funding) walk.funding = decodeFundingOutcome(outcome).funding
  const { spec, funding } = walk
  if (spec === null) return
  if (kind === tradingKinds.open && !isKeptOutcome(outcome)) {
    const trade = decodeOpenOutcome(outcome)
    if (trade.tradeNumber === tradeNumber)
      walk.opening = { sequence, now, behaviour, command, outcome, open: decodeOpen(command), trade, spec }
  }
  if (kind === tradingKinds.update && !isKeptOutcome(outcome)) {
    const trade = decodeUpdateOutcome(outcome)
    const update = decodeUpdate(command)
    if (trade.tradeNumber === tradeNumber)
      walk.updates.push({ sequence, now, behaviour, command, outcome, update, trade, spec, funding })
  }
  const trade = closedIn(kind, outcome).find((closed) => closed.tradeNumber === tradeNumber)
  if (trade === undefined) return
  const decided = kind === tradingKinds.close ? { command, sequence } : walk.tick
  if (decided === null) throw new RangeError(`record ${sequence} goes on with a tick that is not in the journal`)
  const { command: decidedBy, sequence: decidedAt } = decided
  walk.closing = { sequence, now, behaviour, trade, spec, funding, decidedBy, decidedAt }
}

/**
 * Reads what became of a trade, up to its end.
 * @throws {InspectFault} on a text that is no trade's id, and for a trade that is not in this data
 */
export const tradeHistory = async (source: InspectSource, tradeId: string): Promise<TradeHistory> => {
  const place = placeOfTradeId(tradeId)
  if (place === null)
    throw new InspectFault(
      `'${tradeId}' is no trade's id; give it as the platform told it, such as trade_72057594037927937`,
    )
  const partition = partitionOfTrade(place)
  const title = partitionTitle(source.topology, partition)
  if (!source.partitions.includes(partition))
    throw new InspectFault(
      `${tradeId} would be in ${title}, which ${source.place} has not; check which platform it is of`,
    )
  const walk: Walk = { spec: null, funding: 0n, tick: null, opening: null, updates: [], closing: null }
  for await (const stored of source.readFrom(partition, 1n)) {
    const record = decodeRecord(stored.body)
    for (const index of record.inputs.keys()) follow(walk, record, index, place.tradeNumber)
    if (walk.closing !== null) break
  }
  const { opening, updates, closing, funding } = walk
  if (opening === null)
    throw new InspectFault(
      `${title} never opened ${tradeId}; a refused opening is found by its command: inspect command …`,
    )
  return { tradeId, place, partition, title, opening, updates, closing, funding }
}
