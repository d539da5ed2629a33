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
  decodeUpdateKept,
  decodeUpdateOutcome,
  directions,
  encodeClose,
  encodeMarketQuery,
  encodeOpen,
  encodeOutcomeOf,
  encodeState,
  encodeTradesQuery,
  encodeUpdate,
  decodeOpenKept,
  decodeCloseKept,
  encodeTradeQuery,
  isKeptOutcome,
  KEEP_AS_IT_IS,
  marketStates,
  tradingKinds,
  type MarketStateName,
  type HeaderParts,
  type OpenTrade as OpenRecord,
} from '@bourse/risk-rules/trading/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { closedTradeFields, openTradeFields } from '../codec/present.ts'
import { partitionOfTrade, placeOfTradeId, tradeIdOf, type TradePlace } from '../codec/trade-id.ts'
import { tradingRefusal } from './refusals.ts'
import type {
  ClosedTrade,
  CloseTradeRequest,
  CreateTradeRequest,
  OpenTrade,
  TradingClient,
  UpdateTradeRequest,
} from './types.ts'

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
  /**
   * False of a partition that nobody ever served: its market is new. It takes no trades yet and has none, so that nobody
   * waits for its answer. Without it: every partition was.
   */
  readonly wasServed?: (partition: PartitionNumber) => boolean
}

/** An open trade as the machine has it, with F at that moment. */
interface FoundTrade {
  readonly trade: OpenRecord
  readonly funding: bigint
}

/** The quote is written in by the partition's host when the command's turn comes. */
const NO_QUOTE = { feedBid: 0n, feedAsk: 0n, quoteTime: 0n } as const

/** What names a trade of an account, in whatever is asked of it. */
type TradeRequest = Pick<CloseTradeRequest, 'identity' | 'account' | 'tradeId'>

const orZero = (units: bigint | null): bigint => units ?? 0n
const orNull = (units: bigint): bigint | null => (units === 0n ? null : units)
const orKept = (units: bigint | null | undefined): bigint => (units === undefined ? KEEP_AS_IT_IS : orZero(units))

/** Makes the client. */
export const createTradingClient = (deps: TradingClientDeps): TradingClient => {
  const { partitions, topology, views, wasServed = () => true } = deps

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

  /** An open trade's fields that never change, from the machine or, when it has closed, from the views. */
  const everOf = async (
    asset: string,
    partition: PartitionNumber,
    tradeNumber: bigint,
    sequence: bigint,
  ): Promise<OpenTrade | null> => {
    const found = await openTradeAt(partition, tradeNumber)
    if (found !== null) return openTradeFields(asset, partition, found.trade, found.trade.fundingAtOpen)
    await deps.projected(partition, sequence)
    const view = await tradeOf(tradeIdAt(partition, tradeNumber))
    return view === null ? null : fromView(view)
  }

  const opened = async (
    request: CreateTradeRequest,
    partition: PartitionNumber,
    answer: PartitionAnswer,
  ): Promise<Result<OpenTrade>> => {
    const { asset, stopLossPrice, takeProfitPrice } = request
    const code = codeOfOutcome(answer.outcome)
    if (code !== 'OK') return tradingRefusal(code)
    if (!isKeptOutcome(answer.outcome)) {
      const trade = decodeOpenOutcome(answer.outcome)
      return ok(openTradeFields(asset, partition, trade, trade.fundingAtOpen))
    }
    const kept = decodeOpenKept(answer.outcome)
    const trade = await everOf(asset, partition, kept.tradeNumber, answer.sequence)
    if (trade === null) return tradingRefusal('UNAVAILABLE')
    // The first answer again: stops and liquidation price as they were at opening, whatever became of the trade since. The
    // request is the first one's, to the last field.
    return ok({ ...trade, stopLossPrice, takeProfitPrice, liquidationPrice: orNull(kept.liquidationPrice) })
  }

  /** The machine no longer knows whose trade it was: the views do. */
  const closedBefore = async (
    { account, tradeId }: TradeRequest,
    partition: PartitionNumber,
    { sequence }: PartitionAnswer,
  ): Promise<Result<never>> => {
    const inTime = await deps.projected(partition, sequence)
    const view = await tradeOf(tradeId)
    if (view === null && !inTime) return tradingRefusal('UNAVAILABLE')
    return tradingRefusal(view?.account === hexOf(account) ? 'TRADE_CLOSED' : 'TRADE_NOT_FOUND')
  }

  const updated = async (
    request: UpdateTradeRequest,
    place: TradePlace,
    answer: PartitionAnswer,
  ): Promise<Result<OpenTrade>> => {
    const partition = partitionOfTrade(place)
    const code = codeOfOutcome(answer.outcome)
    if (code === 'TRADE_CLOSED') return closedBefore(request, partition, answer)
    if (code !== 'OK') return tradingRefusal(code)
    const asset = assetOfMarket(place.market) ?? ''
    if (!isKeptOutcome(answer.outcome)) {
      const trade = decodeUpdateOutcome(answer.outcome)
      return ok(openTradeFields(asset, partition, trade, trade.fundingAtOpen))
    }
    const kept = decodeUpdateKept(answer.outcome)
    const trade = await everOf(asset, partition, kept.tradeNumber, answer.sequence)
    if (trade === null) return tradingRefusal('UNAVAILABLE')
    return ok({
      ...trade,
      stopLossPrice: orNull(kept.stopLoss),
      takeProfitPrice: orNull(kept.takeProfit),
      liquidationPrice: orNull(kept.liquidationPrice),
    })
  }

  const closed = async (
    request: CloseTradeRequest,
    place: TradePlace,
    answer: PartitionAnswer,
  ): Promise<Result<ClosedTrade>> => {
    const partition = partitionOfTrade(place)
    const code = codeOfOutcome(answer.outcome)
    if (code === 'TRADE_CLOSED') return closedBefore(request, partition, answer)
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
    if (!wasServed(partition)) return tradingRefusal('UNAVAILABLE')
    const known = await remembered(identity, [partition, ledgerPartitionOf(topology, account)])
    if (known !== null) return known.ok ? opened(request, partition, { sequence: 0n, outcome: known.value }) : known
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
        ...NO_QUOTE,
        openBps: terms.openBps,
      },
      { id: identity.id, requestHash: identity.requestHash },
    )
    const answer = await orderThroughLedger(identity, account, partition, legs, slip)
    return answer.ok ? opened(request, partition, answer.value) : answer
  }

  /** Refuses what is asked of a trade that is nowhere, for good: its key is registered and can't become another request's. */
  const refuseNowhere = async (identity: CommandIdentity, account: Uint8Array): Promise<Result<never>> => {
    if (!identity.keyed) return tradingRefusal('TRADE_NOT_FOUND')
    const { id, requestHash } = identity
    const command = encodeLedgerCommand({ id, requestHash }, { kind: 'HOLD' })
    const answer = await partitions.command(ledgerPartitionOf(topology, account), command, TRADING_DEADLINE_MS)
    if (!answer.ok) return answer
    const code = codeOfOutcome(answer.value.outcome)
    return tradingRefusal(code === 'OK' ? 'TRADE_NOT_FOUND' : code)
  }

  /**
   * Has a command executed on the trade it names: with a key by way of the ledger, which registers it, else at once. `encode`
   * writes the command, `answered` reads its outcome.
   */
  const onTrade = async <Answer>(
    { identity, account, tradeId }: TradeRequest,
    encode: (tradeNumber: bigint, header: HeaderParts) => Uint8Array,
    answered: (place: TradePlace, answer: PartitionAnswer) => Promise<Result<Answer>>,
  ): Promise<Result<Answer>> => {
    const place = placeOfTradeId(tradeId)
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
    if (known !== null) return answered(place, { sequence: 0n, outcome: known.value })
    const command = encode(place.tradeNumber, { id: identity.id, requestHash: identity.requestHash })
    const partition = partitionOfTrade(place)
    const answer = identity.keyed
      ? await orderThroughLedger(identity, account, partition, [], command)
      : await partitions.command(partition, command, TRADING_DEADLINE_MS)
    return answer.ok ? answered(place, answer.value) : answer
  }

  const closeTrade = (request: CloseTradeRequest): Promise<Result<ClosedTrade>> =>
    onTrade(
      request,
      (tradeNumber, header) => {
        const worstPrice = orZero(request.worstPrice)
        return encodeClose({ account: request.account, tradeNumber, worstPrice, ...NO_QUOTE }, header)
      },
      (place, answer) => closed(request, place, answer),
    )

  const updateTrade = (request: UpdateTradeRequest): Promise<Result<OpenTrade>> =>
    onTrade(
      request,
      (tradeNumber, header) => {
        const stops = { stopLoss: orKept(request.stopLossPrice), takeProfit: orKept(request.takeProfitPrice) }
        return encodeUpdate({ account: request.account, tradeNumber, ...stops, ...NO_QUOTE }, header)
      },
      (place, answer) => updated(request, place, answer),
    )

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
    updateTrade,
    openTrades: async (account) => {
      const markets = [...topology.markets.values()].filter((market) => wasServed(tradingPartitionOf(market, account)))
      const all = await Promise.all(markets.map((market) => openTradesIn(market, account)))
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
        if (!wasServed(partition)) return tradingRefusal('UNAVAILABLE')
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

/** Commands whose outcome is asked for by their id. */
const orderKinds: ReadonlySet<number> = new Set([tradingKinds.open, tradingKinds.close, tradingKinds.update])

/** While the trading partition does not know the id, it answers the question itself instead of a command's outcome. */
const isPendingAnswer = (answer: Uint8Array): boolean => {
  const { kind } = decodeOutcomeHeader(answer)
  return !orderKinds.has(kind) && codeOfOutcome(answer) === 'NOT_FOUND'
}
