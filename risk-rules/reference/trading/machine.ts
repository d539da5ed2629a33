import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader, isCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import type { Effect, QueryAnswer } from '@bourse/common/kernel/machine.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { malformedOutcome, settledIdsOf } from '../../src/host/machine.ts'
import {
  closeLayout,
  encodeContinue,
  fundingLayout,
  openLayout,
  specLayout,
  stateLayout,
  tickLayout,
  tierLayout,
  updateLayout,
} from '../../src/trading/commands.ts'
import { checkCapacities, TRADING_BEHAVIOUR_VERSION, TRADING_SCHEMA_VERSION } from '../../src/trading/machine.ts'
import type { TradingCapacities, TradingMachine } from '../../src/trading/machine.ts'
import { marketStates, TIERS_MAX, tradingKinds, VALUE_MAX } from '../../src/trading/numbers.ts'
import { TRADING_KEPT_BYTES } from '../../src/trading/outcomes.ts'
import { viewOf } from '../../src/trading/struct.ts'
import { createReferenceIdTable, sameBytes } from '../id-table.ts'
import type { RememberedId } from '../id-table.ts'
import { isFeed } from './checks.ts'
import { releaseOf } from './effects.ts'
import type { LedgerEffect } from './effects.ts'
import { hashOf } from './hash.ts'
import { applyClose, applyContinue, applyFunding, applyOpen, applySpec, applyState, applyTick } from './market.ts'
import { currentTiersOf, reasonOf } from './market.ts'
import type { Decision } from './market.ts'
import { answer } from './queries.ts'
import { quoteOfFeed } from './rules.ts'
import { restored, saved } from './saved.ts'
import { emptyState } from './state.ts'
import type { State } from './state.ts'
import { applyUpdate } from './update.ts'

const NO_BODY = new Uint8Array(0)

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** Bytes of the body of each kind with one size. */
const bodySizes = new Map<number, number>([
  [tradingKinds.open, openLayout.bytes],
  [tradingKinds.close, closeLayout.bytes],
  [tradingKinds.update, updateLayout.bytes],
  [tradingKinds.tick, tickLayout.bytes],
  [tradingKinds.continue, 0],
  [tradingKinds.funding, fundingLayout.bytes],
  [tradingKinds.state, stateLayout.bytes],
  [KIND_TIME, 0],
])

/** Kinds whose outcome's first bytes are kept with the id. */
const keptKinds: ReadonlySet<number> = new Set([tradingKinds.open, tradingKinds.close, tradingKinds.update])

/** Whether the command is of a known kind and of its size, so that its fields can be read. */
const isFramed = (command: Uint8Array, behaviour: number): boolean => {
  const { kind, id } = decodeHeader(command)
  if (kind === tradingKinds.update && behaviour < 3) return false
  const body = bodyOf(command)
  if (kind === tradingKinds.spec) {
    if (body.length < specLayout.bytes) return false
    const tiers = viewOf(body).getUint32(specLayout.offsets.tierCount, true)
    return tiers <= TIERS_MAX && body.length === specLayout.bytes + tiers * tierLayout.bytes
  }
  return body.length === bodySizes.get(kind) && (kind !== tradingKinds.open || !isZero(id))
}

/** The RELEASE that a refused OPEN owes, when it says to whom. */
const releaseFor = (command: Uint8Array): readonly LedgerEffect[] => {
  const { kind, id } = decodeHeader(command)
  if (kind !== tradingKinds.open) return []
  const partition = viewOf(bodyOf(command)).getUint32(openLayout.offsets.ledgerPartition, true)
  return partition >>> 24 === 1 ? [releaseOf(id, partition)] : []
}

/** The trading machine in plain bigint: the oracle of the WASM module. Same promises, no care for speed. */
export const createReferenceTradingMachine = (capacities: TradingCapacities): TradingMachine => {
  checkCapacities(capacities)
  let state: State = emptyState()
  const ids = createReferenceIdTable(capacities.idsMax, TRADING_KEPT_BYTES)

  const remember = (command: Uint8Array, code: number, body: Uint8Array, now: bigint): void => {
    const { id, requestHash, kind } = decodeHeader(command)
    if (isZero(id)) return
    const kept = keptKinds.has(kind) ? body.slice(0, TRADING_KEPT_BYTES) : NO_BODY
    ids.insert({ id: id.slice(), requestHash: requestHash.slice(), time: now, code, kind, body: kept })
  }

  const dispatch = (command: Uint8Array, now: bigint): Decision => {
    switch (decodeHeader(command).kind) {
      case tradingKinds.spec:
        return applySpec(state, command, now)
      case tradingKinds.open:
        return applyOpen(state, capacities.tradesMax, command, now)
      case tradingKinds.close:
        return applyClose(state, command, now)
      case tradingKinds.update:
        return applyUpdate(state, command, now)
      case tradingKinds.tick:
        return applyTick(state, command, now)
      case tradingKinds.continue:
        return applyContinue(state, now)
      case tradingKinds.funding:
        return applyFunding(state, command)
      case tradingKinds.state:
        return applyState(state, command)
      default:
        return { code: 'OK', body: NO_BODY, effects: [] }
    }
  }

  const outcome = (command: Uint8Array, code: number, body: Uint8Array = NO_BODY): Uint8Array => {
    const { kind, id } = decodeHeader(command)
    return encodeOutcome({ code, kind, id }, body)
  }

  const known = (command: Uint8Array): RememberedId | undefined => ids.find(decodeHeader(command).id)

  const repeated = (command: Uint8Array, entry: RememberedId): Uint8Array => {
    const { id, requestHash } = decodeHeader(command)
    if (!sameBytes(entry.requestHash, requestHash)) return outcome(command, refusalNumbers.IDEMPOTENCY_CONFLICT)
    return encodeOutcome({ code: entry.code, kind: entry.kind, id }, entry.body)
  }

  /** The holds that brought a known id once more, unless the trade is open and they are its margin. */
  const releaseAgain = (command: Uint8Array, entry: RememberedId, behaviour: number): readonly LedgerEffect[] => {
    const wasOpened = entry.kind === tradingKinds.open && entry.code === refusalNumbers.OK
    const isOpen = wasOpened && state.trades.has(viewOf(entry.body).getBigUint64(0, true))
    return behaviour === 1 || isOpen ? [] : releaseFor(command)
  }

  const refuseUnremembered = (
    command: Uint8Array,
    code: number,
  ): { outcome: Uint8Array; effects: readonly LedgerEffect[] } => ({
    outcome: outcome(command, code),
    effects: releaseFor(command),
  })

  const execute = (
    command: Uint8Array,
    now: bigint,
    behaviour: number,
  ): { outcome: Uint8Array; effects: readonly LedgerEffect[] } => {
    if (!isCommand(command)) return { outcome: malformedOutcome(), effects: [] }
    ids.expire(now)
    if (!isFramed(command, behaviour)) return { outcome: outcome(command, refusalNumbers.INVALID_COMMAND), effects: [] }
    const { kind, id } = decodeHeader(command)
    const entry = known(command)
    if (entry !== undefined)
      return { outcome: repeated(command, entry), effects: releaseAgain(command, entry, behaviour) }
    const outOfTurn = state.pending.length > 0 && kind !== tradingKinds.continue && kind !== KIND_TIME
    if (outOfTurn) return refuseUnremembered(command, refusalNumbers.INVALID_COMMAND)
    if (!isZero(id) && ids.isFull()) return refuseUnremembered(command, refusalNumbers.UNAVAILABLE)
    const { code, body, effects } = dispatch(command, now)
    remember(command, refusalNumbers[code], body, now)
    return { outcome: outcome(command, refusalNumbers[code], body), effects }
  }

  const refuse = (
    command: Uint8Array,
    now: bigint,
    behaviour: number,
  ): { outcome: Uint8Array; effects: readonly LedgerEffect[] } => {
    ids.expire(now)
    const fault = outcome(command, refusalNumbers.ENGINE_FAULT)
    if (!isFramed(command, behaviour)) return { outcome: fault, effects: [] }
    const entry = known(command)
    if (entry !== undefined) return { outcome: fault, effects: releaseAgain(command, entry, behaviour) }
    if (!ids.isFull()) remember(command, refusalNumbers.ENGINE_FAULT, NO_BODY, now)
    return { outcome: fault, effects: releaseFor(command) }
  }

  return {
    schemaVersion: TRADING_SCHEMA_VERSION,
    behaviourVersion: TRADING_BEHAVIOUR_VERSION,
    apply: (batch, now, behaviour, refused) => {
      const effects: Effect[] = []
      const outcomes = batch.map((command, commandIndex) => {
        const decided = refused?.has(commandIndex) === true && isCommand(command) ? refuse : execute
        const result = decided(command, now, behaviour)
        effects.push(...result.effects.map((effect) => ({ ...effect, commandIndex })))
        return result.outcome
      })
      return { outcomes, effects, settledIds: settledIdsOf(outcomes) }
    },
    continuation: () => (state.pending.length > 0 ? encodeContinue() : null),
    nextDeadline: () => (state.nextFunding === 0n ? null : state.nextFunding),
    query: (question): QueryAnswer => answer(state, ids, question),
    snapshot: () => saved({ state, ids: ids.entries() }),
    restore: (bytes) => {
      const before = restored(bytes) as { readonly state: State; readonly ids: readonly RememberedId[] }
      state = before.state
      ids.replace(before.ids)
    },
    stateHash: () => hashOf(state, currentTiersOf(state), ids),
    wouldTrigger: (feedBid, feedAsk, quoteTime) => {
      const { spec } = state
      if (spec === null || state.marketState === marketStates.Halted) return false
      if (!isFeed(feedBid, feedAsk) || quoteTime <= 0n) return false
      const { bid, ask } = quoteOfFeed(feedBid, feedAsk, spec.spreadBps, spec.tickSize)
      if (ask * state.quantityMax > VALUE_MAX) return false
      if (state.firstTickAt === 0n || (state.nextFunding !== 0n && state.nextFunding <= quoteTime)) return true
      return [...state.trades.values()].some((trade) => reasonOf(state, trade, bid, ask) !== null)
    },
  }
}
