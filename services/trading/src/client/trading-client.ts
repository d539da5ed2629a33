import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import { codeOfOutcome, type PartitionAnswer, type PartitionClient } from '@bourse/common/kernel/client.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { bytesOfHex, derivedId, hexOf } from '@bourse/common/platform/identity.ts'
import { refusingPortFailures } from '@bourse/common/platform/refusing.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import {
  ledgerPartitionOf,
  tradingPartitionOf,
  type MarketPlace,
  type Topology,
} from '@bourse/common/platform/topology.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { rememberedCommand } from '@bourse/common/views/commands.ts'
import { tradeModel, type TradeView } from '@bourse/common/views/models.ts'
import { customerAccountKey } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, type Leg } from '@bourse/risk-rules/ledger/codec.ts'
import {
  decodeCloseOutcome,
  decodeMarketAnswer,
  decodeOpenOutcome,
  decodeTradesAnswer,
  directions,
  encodeClose,
  encodeMarketQuery,
  encodeOpen,
  encodeOutcomeOf,
  encodeState,
  encodeTradesQuery,
  decodeOpenKept,
  decodeCloseKept,
  encodeTradeQuery,
  isKeptOutcome,
  marketStates,
  tradingKinds,
  type MarketStateName,
  type OpenTrade as OpenRecord,
} from '@bourse/risk-rules/trading/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { closedTradeFields, openTradeFields } from '../codec/present.ts'
import { partitionOfTrade, placeOfTradeId, tradeIdOf, type TradePlace } from '../codec/trade-id.ts'
import { tradingRefusal } from './refusals.ts'
import type { ClosedTrade, CloseTradeRequest, CreateTradeRequest, OpenTrade, TradingClient } from './types.ts'

/** How long a command or read may take before the edge answers UNAVAILABLE, ms. */
export const TRADING_DEADLINE_MS = 5_000

/** What the client must know of a market to make its holds. */
export interface MarketTerms {
  readonly quoteAsset: string
  /** In units of 1e-8 bp. */
  readonly openBps: bigint
}

/** What the client needs. */
export interface TradingClientDeps {
  readonly partitions: PartitionClient
  readonly topology: Topology
  readonly views: Views
  readonly termsOf: (asset: string) => MarketTerms | null
  /** Resolves once the views hold a partition's record, false when that takes too long. */
  readonly projected: (partition: PartitionNumber, sequence: bigint) => Promise<boolean>
  /** False while the views of a partition lag by more than half the window: an old id could then be missed. */
  readonly viewsAreFresh: (partition: PartitionNumber) => boolean
}

/** An open trade as the machine has it, with F at that moment. */
interface FoundTrade {
  readonly trade: OpenRecord
  readonly funding: bigint
}

const orZero = (units: bigint | null): bigint => units ?? 0n

/** Makes the client. */
export const createTradingClient = (deps: TradingClientDeps): TradingClient => {
  const { partitions, topology, views } = deps

  const assetOfMarket = (market: number): string | null =>
    [...topology.markets.values()].find((place) => place.market === market)?.symbol ?? null

  /** The outcome of an id that the machines may have let go, judged like a fresh one. */
  const remembered = async (
    identity: CommandIdentity,
    partitionsAsked: readonly PartitionNumber[],
  ): Promise<Result<Uint8Array> | null> => {
    if (!identity.keyed) return null
    if (!partitionsAsked.every(deps.viewsAreFresh)) return tradingRefusal('UNAVAILABLE')
    const known = await rememberedCommand(views, identity.id)
    if (known === null) return null
    return Buffer.compare(bytesOfHex(known.view.requestHash), identity.requestHash) === 0
      ? ok(known.outcome)
      : tradingRefusal('IDEMPOTENCY_CONFLICT')
  }

  /**
   * Registers the command at the owner's ledger partition, which sends it on, and waits for the trading partition's
   * outcome.
   */
  const orderThroughLedger = async (
    identity: CommandIdentity,
    account: Uint8Array,
    target: PartitionNumber,
    legs: readonly Leg[],
    slip: Uint8Array,
  ): Promise<Result<PartitionAnswer>> => {
    const command = encodeLedgerCommand(
      { id: identity.id, requestHash: identity.requestHash },
      { kind: 'HOLD', legs, slip: { target, command: slip } },
    )
    const held = await partitions.command(ledgerPartitionOf(topology, account), command, TRADING_DEADLINE_MS)
    if (!held.ok) return held
    const code = codeOfOutcome(held.value.outcome)
    if (code !== 'OK') return tradingRefusal(code)
    const question = encodeOutcomeOf(identity.id, identity.requestHash)
    const settled = await partitions.read(target, question, {
      deadlineMs: TRADING_DEADLINE_MS,
      parkMs: TRADING_DEADLINE_MS - 500,
    })
    return settled.ok && isPendingAnswer(settled.value.outcome) ? tradingRefusal('UNAVAILABLE') : settled
  }

  const tradeOf = async (tradeId: string): Promise<TradeView | null> => views.get(tradeModel, tradeId)

  const fromView = (view: TradeView): OpenTrade => ({
    tradeId: view._id,
    asset: view.asset,
    direction: view.direction,
    margin: view.margin,
    leverage: view.leverage,
    quantity: view.quantity,
    entryPrice: view.entryPrice,
    liquidationPrice: view.liquidationPrice,
    stopLossPrice: view.stopLossPrice,
    takeProfitPrice: view.takeProfitPrice,
    openFee: view.openFee,
    openedAtMs: view.openedAt,
    fundingCost: 0n,
  })

  /** A trade that is open now, or null. The machine that has it is faster than any view of it, and never behind. */
  const openTradeAt = async (partition: PartitionNumber, tradeNumber: bigint): Promise<FoundTrade | null> => {
    const answer = await partitions.read(partition, encodeTradeQuery(tradeNumber), { deadlineMs: TRADING_DEADLINE_MS })
    if (!answer.ok || codeOfOutcome(answer.value.outcome) !== 'OK') return null
    const { trades, funding } = decodeTradesAnswer(answer.value.outcome)
    const [trade] = trades
    return trade === undefined ? null : { trade, funding }
  }

  const opened = async (
    asset: string,
    partition: PartitionNumber,
    answer: PartitionAnswer,
  ): Promise<Result<OpenTrade>> => {
    const code = codeOfOutcome(answer.outcome)
    if (code !== 'OK') return tradingRefusal(code)
    if (!isKeptOutcome(answer.outcome)) {
      const trade = decodeOpenOutcome(answer.outcome)
      return ok(openTradeFields(asset, partition, trade, trade.fundingAtOpen))
    }
    const kept = decodeOpenKept(answer.outcome)
    const found = await openTradeAt(partition, kept.tradeNumber)
    if (found !== null) {
      const { liquidationPrice } = kept
      return ok(openTradeFields(asset, partition, { ...found.trade, liquidationPrice }, found.trade.fundingAtOpen))
    }
    await deps.projected(partition, answer.sequence)
    const view = await tradeOf(tradeIdAt(partition, kept.tradeNumber))
    if (view === null) return tradingRefusal('UNAVAILABLE')
    // The first answer again: the liquidation price as it was at opening, whatever became of the trade since.
    return ok({ ...fromView(view), liquidationPrice: kept.liquidationPrice === 0n ? null : kept.liquidationPrice })
  }

  const closed = async (
    request: CloseTradeRequest,
    place: TradePlace,
    answer: PartitionAnswer,
  ): Promise<Result<ClosedTrade>> => {
    const partition = partitionOfTrade(place)
    const code = codeOfOutcome(answer.outcome)
    if (code === 'TRADE_CLOSED') {
      // The machine no longer knows whose trade it was.
      const inTime = await deps.projected(partition, answer.sequence)
      const view = await tradeOf(request.tradeId)
      if (view === null && !inTime) return tradingRefusal('UNAVAILABLE')
      return tradingRefusal(view?.account === hexOf(request.account) ? 'TRADE_CLOSED' : 'TRADE_NOT_FOUND')
    }
    if (code !== 'OK') return tradingRefusal(code)
    const asset = assetOfMarket(place.market) ?? ''
    if (!isKeptOutcome(answer.outcome))
      return ok(closedTradeFields(asset, partition, decodeCloseOutcome(answer.outcome)))
    const kept = decodeCloseKept(answer.outcome)
    await deps.projected(partition, answer.sequence)
    const view = await tradeOf(request.tradeId)
    if (view === null || view.status !== 'closed') return tradingRefusal('UNAVAILABLE')
    return ok({
      ...fromView(view),
      exitPrice: kept.exitPrice,
      pnl: kept.pnl,
      fees: kept.fees,
      returned: kept.returned,
      fundingCost: view.funding ?? 0n,
      funding: view.funding ?? 0n,
      reason: 'USER',
      closedAtMs: Number(kept.closedAt),
    })
  }

  const createTrade = async (request: CreateTradeRequest): Promise<Result<OpenTrade>> => {
    const market = topology.markets.get(request.asset)
    const terms = deps.termsOf(request.asset)
    if (market === undefined || terms === null) return tradingRefusal('MARKET_NOT_FOUND')
    const { identity, account, margin, leverage } = request
    const partition = tradingPartitionOf(market, account)
    const known = await remembered(identity, [partition, ledgerPartitionOf(topology, account)])
    if (known !== null)
      return known.ok ? opened(request.asset, partition, { sequence: 0n, outcome: known.value }) : known
    const customer = customerAccountKey(account, terms.quoteAsset)
    const legs = [
      { ...customer, amount: margin },
      { ...customer, amount: feeHoldOf(margin, leverage, terms.openBps) },
    ]
    const slip = encodeOpen(
      {
        account,
        ledgerPartition: ledgerPartitionOf(topology, account),
        direction: directions[request.direction],
        leverage,
        margin,
        stopLoss: orZero(request.stopLossPrice),
        takeProfit: orZero(request.takeProfitPrice),
        worstPrice: orZero(request.worstPrice),
        feedBid: 0n,
        feedAsk: 0n,
        quoteTime: 0n,
        openBps: terms.openBps,
      },
      { id: identity.id, requestHash: identity.requestHash },
    )
    const answer = await orderThroughLedger(identity, account, partition, legs, slip)
    return answer.ok ? opened(request.asset, partition, answer.value) : answer
  }

  /** Refuses the close of a trade that is nowhere, for good: its key is registered, so that it can't become another request's. */
  const refuseNowhere = async (identity: CommandIdentity, account: Uint8Array): Promise<Result<never>> => {
    if (!identity.keyed) return tradingRefusal('TRADE_NOT_FOUND')
    const { id, requestHash } = identity
    const command = encodeLedgerCommand({ id, requestHash }, { kind: 'HOLD' })
    const answer = await partitions.command(ledgerPartitionOf(topology, account), command, TRADING_DEADLINE_MS)
    if (!answer.ok) return answer
    const code = codeOfOutcome(answer.value.outcome)
    return tradingRefusal(code === 'OK' ? 'TRADE_NOT_FOUND' : code)
  }

  const closeTrade = async (request: CloseTradeRequest): Promise<Result<ClosedTrade>> => {
    const { identity, account } = request
    const place = placeOfTradeId(request.tradeId)
    const market = place === null ? undefined : topology.markets.get(assetOfMarket(place.market) ?? '')
    const asked = [ledgerPartitionOf(topology, account)]
    if (place !== null && market !== undefined) asked.push(partitionOfTrade(place))
    // The key is judged first: a trade that is nowhere does not hide that the key belongs to another request.
    const known = await remembered(identity, asked)
    if (known !== null && !known.ok) return known
    // A trade lies where its account lies: anything else is not this account's.
    const isNowhere =
      place === null || market === undefined || tradingPartitionOf(market, account) !== partitionOfTrade(place)
    if (isNowhere) return known === null ? refuseNowhere(identity, account) : tradingRefusal('TRADE_NOT_FOUND')
    if (known !== null) return closed(request, place, { sequence: 0n, outcome: known.value })
    const header = { id: identity.id, requestHash: identity.requestHash }
    const command = encodeClose(
      {
        account,
        tradeNumber: place.tradeNumber,
        worstPrice: orZero(request.worstPrice),
        feedBid: 0n,
        feedAsk: 0n,
        quoteTime: 0n,
      },
      header,
    )
    const partition = partitionOfTrade(place)
    if (!identity.keyed) {
      const answer = await partitions.command(partition, command, TRADING_DEADLINE_MS)
      return answer.ok ? closed(request, place, answer.value) : answer
    }
    const answer = await orderThroughLedger(identity, account, partition, [], command)
    return answer.ok ? closed(request, place, answer.value) : answer
  }

  const openTradesIn = async (market: MarketPlace, account: Uint8Array): Promise<Result<OpenTrade[]>> => {
    const partition = tradingPartitionOf(market, account)
    const trades: OpenTrade[] = []
    for (let after = 0n; ;) {
      const options = { deadlineMs: TRADING_DEADLINE_MS, flushedTo: ledgerPartitionOf(topology, account) }
      const answer = await partitions.read(partition, encodeTradesQuery(account, after), options)
      if (!answer.ok) return answer
      const page = decodeTradesAnswer(answer.value.outcome)
      trades.push(...page.trades.map((trade) => openTradeFields(market.symbol, partition, trade, page.funding)))
      if (!page.more) return ok(trades)
      after = page.trades.at(-1)!.tradeNumber
    }
  }

  return refusingPortFailures<TradingClient>({
    createTrade,
    closeTrade,
    openTrades: async (account) => {
      const all = await Promise.all([...topology.markets.values()].map((market) => openTradesIn(market, account)))
      const trades: OpenTrade[] = []
      for (const part of all) {
        if (!part.ok) return part
        trades.push(...part.value)
      }
      return ok(trades.sort((a, b) => a.openedAtMs - b.openedAtMs || (a.tradeId < b.tradeId ? -1 : 1)))
    },
    setMarketState: async (identity, asset, state) => {
      const market = topology.markets.get(asset)
      if (market === undefined) return tradingRefusal('MARKET_NOT_FOUND')
      for (let index = 0; index < market.partitions; index++) {
        const header = {
          id: derivedId(identity.id, `state:${index}`),
          requestHash: identity.requestHash,
          origin: 0,
        } as const
        const partition = partitionNumber('trading', index, market.market)
        const answer = await partitions.command(
          partition,
          encodeState(marketStates[state], header),
          TRADING_DEADLINE_MS,
        )
        if (!answer.ok) return answer
        const code = codeOfOutcome(answer.value.outcome)
        if (code !== 'OK') return tradingRefusal(code)
      }
      return ok(undefined)
    },
    marketState: async (asset) => {
      const market = topology.markets.get(asset)
      if (market === undefined) return tradingRefusal('MARKET_NOT_FOUND')
      let openTrades = 0
      let strictest: MarketStateName = 'Open'
      for (let index = 0; index < market.partitions; index++) {
        const partition = partitionNumber('trading', index, market.market)
        const answer = await partitions.read(partition, encodeMarketQuery(), { deadlineMs: TRADING_DEADLINE_MS })
        if (!answer.ok) return answer
        const { state, openCount } = decodeMarketAnswer(answer.value.outcome)
        openTrades += openCount
        const name = (Object.keys(marketStates) as MarketStateName[]).find(
          (candidate) => marketStates[candidate] === state,
        )
        if (name === undefined) return refuse('ENGINE_FAULT', `market state ${state} is unknown`)
        if (marketStates[name] > marketStates[strictest]) strictest = name
      }
      return ok({ state: strictest, openTrades })
    },
  })
}

const tradeIdAt = (partition: PartitionNumber, tradeNumber: bigint): string =>
  tradeIdOf({ market: (partition >>> 8) & 0xffff, partitionIndex: partition & 0xff, tradeNumber })

/** While the trading partition does not know the id, it answers the question itself instead of a command's outcome. */
const isPendingAnswer = (answer: Uint8Array): boolean => {
  const { kind } = decodeOutcomeHeader(answer)
  return kind !== tradingKinds.open && kind !== tradingKinds.close && codeOfOutcome(answer) === 'NOT_FOUND'
}
