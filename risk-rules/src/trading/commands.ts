import { bodyOf, commandOrigins, encodeCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import type { CommandHeader } from '@bourse/common/kernel/command.ts'
import { TIERS_MAX, tradingKinds } from './numbers.ts'
import { layoutOf, viewOf } from './struct.ts'
import type { RecordIn } from './struct.ts'

/**
 * Body of SPEC before its tiers. Prices, quantities, margins: units of 1e-8. Rates in bps: units of 1e-8 bp.
 * maxNotional, maxNetNotional (already divided by the number of partitions), maxOpenTrades (per account),
 * maxAgeMs:
 * 0 = no limit. fundingIntervalSeconds: 0 = no funding.
 */
export const specLayout = layoutOf({
  tickSize: 'i64',
  lotSize: 'i64',
  minMargin: 'i64',
  maxNotional: 'i64',
  maxNetNotional: 'i64',
  maxOpenTrades: 'u32',
  maxLeverage: 'u32',
  openBps: 'i64',
  closeBps: 'i64',
  liquidationBps: 'i64',
  spreadBps: 'i64',
  fundingRateBps: 'i64',
  fundingCapBps: 'i64',
  maxAgeMs: 'i64',
  fundingIntervalSeconds: 'u32',
  state: 'u32',
  quoteCurrency: 'text8',
  house: 'bytes16',
  fees: 'bytes16',
  clearing: 'bytes16',
  insurance: 'bytes16',
  insurancePartition: 'u32',
  marketNumber: 'u32',
  partitionIndex: 'u32',
  /** Open trades the partition takes; 0: as many as the machine was made for. */
  capacity: 'u32',
  reserved: 'u32',
  tierCount: 'u32',
})

/** One tier: notional from `floor` (units) on, maintenance rate (1 = 1e8), largest leverage. */
export const tierLayout = layoutOf({ floor: 'i64', rate: 'i64', maxLeverage: 'u32', zero: 'u32' })

/** Body of OPEN. stopLoss, takeProfit, worstPrice: 0 = none. */
export const openLayout = layoutOf({
  account: 'bytes16',
  ledgerPartition: 'u32',
  direction: 'u32',
  leverage: 'u32',
  zero: 'u32',
  margin: 'i64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  worstPrice: 'i64',
  feedBid: 'i64',
  feedAsk: 'i64',
  quoteTime: 'i64',
  /** The open fee's rate that the fee's hold was made for; the market's may have risen since. */
  openBps: 'i64',
})

/** Body of CLOSE. worstPrice: 0 = none. */
export const closeLayout = layoutOf({
  account: 'bytes16',
  tradeNumber: 'u64',
  worstPrice: 'i64',
  feedBid: 'i64',
  feedAsk: 'i64',
  quoteTime: 'i64',
})

/** What UPDATE says of a stop or target that stays as it is. */
export const KEEP_AS_IT_IS = -1n

/** Body of UPDATE. stopLoss, takeProfit: −1 stays as it is, 0 is taken away, more is the new price. At least one changes. */
export const updateLayout = layoutOf({
  account: 'bytes16',
  tradeNumber: 'u64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  feedBid: 'i64',
  feedAsk: 'i64',
  quoteTime: 'i64',
})

/** Body of TICK: the quote, and the one before it, on which funding due up to quoteTime is judged (0 = none is known). */
export const tickLayout = layoutOf({
  feedBid: 'i64',
  feedAsk: 'i64',
  quoteTime: 'i64',
  previousBid: 'i64',
  previousAsk: 'i64',
})
/** Body of FUNDING: apply every funding instant up to dueTime on this feed. */
export const fundingLayout = layoutOf({ dueTime: 'i64', feedBid: 'i64', feedAsk: 'i64' })
/** Body of STATE. */
export const stateLayout = layoutOf({ state: 'u32', zero: 'u32' })

/** A tier of a SPEC. */
export interface TierSpec {
  readonly floor: bigint
  readonly rate: bigint
  readonly maxLeverage: number
}
/** What a SPEC says. */
export type SpecCommand = Omit<RecordIn<typeof specLayout>, 'tierCount' | 'reserved'> & {
  readonly tiers: readonly TierSpec[]
}
/** What an OPEN says; its header id is the client's id and the id of both holds. */
export type OpenCommand = Omit<RecordIn<typeof openLayout>, 'zero'>
/** What a CLOSE says; its header id may be all zero. */
export type CloseCommand = RecordIn<typeof closeLayout>
/** What an UPDATE says; its header id may be all zero. */
export type UpdateCommand = RecordIn<typeof updateLayout>
/** What a TICK says. */
export type TickCommand = RecordIn<typeof tickLayout>
/** What a FUNDING says. */
export type FundingCommand = RecordIn<typeof fundingLayout>

/** Parts of the header a sender chooses. */
export type HeaderParts = Partial<Omit<CommandHeader, 'kind'>>

const command = (kind: number, header: HeaderParts, body: Uint8Array): Uint8Array =>
  encodeCommand({ ...header, kind }, body)
const runner: HeaderParts = { origin: commandOrigins.runner }

/** Writes a SPEC. Throws a RangeError when a value does not fit or there are more than TIERS_MAX tiers. */
export const encodeSpec = (spec: SpecCommand, header: HeaderParts = runner): Uint8Array => {
  if (spec.tiers.length > TIERS_MAX) throw new RangeError(`${spec.tiers.length} tiers; at most ${TIERS_MAX}`)
  const body = new Uint8Array(specLayout.bytes + spec.tiers.length * tierLayout.bytes)
  const view = viewOf(body)
  specLayout.write(view, 0, { ...spec, reserved: 0, tierCount: spec.tiers.length })
  spec.tiers.forEach((tier, index) => {
    tierLayout.write(view, specLayout.bytes + index * tierLayout.bytes, { ...tier, zero: 0 })
  })
  return command(tradingKinds.spec, header, body)
}

/** Reads the body of a SPEC. Throws a RangeError when its size contradicts its tierCount. */
export const decodeSpec = (bytes: Uint8Array): SpecCommand => {
  const body = bodyOf(bytes)
  const { tierCount, reserved: _, ...spec } = specLayout.decode(body)
  if (tierCount > TIERS_MAX || body.length !== specLayout.bytes + tierCount * tierLayout.bytes) {
    throw new RangeError(`a SPEC of ${body.length} bytes does not hold ${tierCount} tiers`)
  }
  const view = viewOf(body)
  const tiers = Array.from({ length: tierCount }, (_, index) => {
    const { floor, rate, maxLeverage } = tierLayout.read(view, specLayout.bytes + index * tierLayout.bytes)
    return { floor, rate, maxLeverage }
  })
  return { ...spec, tiers }
}

/** Writes an OPEN; `header.id` is required by the machine. */
export const encodeOpen = (open: OpenCommand, header: HeaderParts): Uint8Array =>
  command(tradingKinds.open, header, openLayout.encode({ ...open, zero: 0 }))

/** Reads the body of an OPEN. */
export const decodeOpen = (bytes: Uint8Array): OpenCommand => {
  const { zero: _, ...open } = openLayout.decode(bodyOf(bytes))
  return open
}

/** Writes a CLOSE. */
export const encodeClose = (close: CloseCommand, header: HeaderParts = {}): Uint8Array =>
  command(tradingKinds.close, header, closeLayout.encode(close))
/** Reads the body of a CLOSE. */
export const decodeClose = (bytes: Uint8Array): CloseCommand => closeLayout.decode(bodyOf(bytes))

/** Writes an UPDATE. */
export const encodeUpdate = (update: UpdateCommand, header: HeaderParts = {}): Uint8Array =>
  command(tradingKinds.update, header, updateLayout.encode(update))
/** Reads the body of an UPDATE. */
export const decodeUpdate = (bytes: Uint8Array): UpdateCommand => updateLayout.decode(bodyOf(bytes))

/** Writes a TICK. */
export const encodeTick = (tick: TickCommand, header: HeaderParts = runner): Uint8Array =>
  command(tradingKinds.tick, header, tickLayout.encode(tick))
/** Reads the body of a TICK. */
export const decodeTick = (bytes: Uint8Array): TickCommand => tickLayout.decode(bodyOf(bytes))

/** Writes a CONTINUE: the rest of a tick that closes more than CLOSES_MAX trades. */
export const encodeContinue = (header: HeaderParts = runner): Uint8Array =>
  command(tradingKinds.continue, header, new Uint8Array(0))

/** Writes a FUNDING. */
export const encodeFunding = (funding: FundingCommand, header: HeaderParts = runner): Uint8Array =>
  command(tradingKinds.funding, header, fundingLayout.encode(funding))
/** Reads the body of a FUNDING. */
export const decodeFunding = (bytes: Uint8Array): FundingCommand => fundingLayout.decode(bodyOf(bytes))

/** Writes a STATE: an administrator halts, limits or reopens the market (`marketStates`). */
export const encodeState = (state: number, header: HeaderParts = runner): Uint8Array =>
  command(tradingKinds.state, header, stateLayout.encode({ state, zero: 0 }))
/** Reads the state a STATE asks for. */
export const decodeState = (bytes: Uint8Array): number => stateLayout.decode(bodyOf(bytes)).state

/** Writes a TIME command. */
export const encodeTime = (header: HeaderParts = runner): Uint8Array => command(KIND_TIME, header, new Uint8Array(0))
