import { createHash } from 'node:crypto'
import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { Applied } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionIndexOf, partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { MarketPlace } from '@bourse/common/platform/topology.ts'
import { createLedgerMachine, loadLedgerModule } from '@bourse/risk-rules/ledger/machine.ts'
import {
  decodeOpenOutcome,
  decodeTickOutcome,
  directions,
  encodeOpen,
  encodeTick,
} from '@bourse/risk-rules/trading/codec.ts'
import { EnginesDiffer, tickName } from './engine-pair.ts'
import { checkMoney } from './money-check.ts'
import type { MoneyReport } from './money-check.ts'
import { createReplayMoney, ownerKey, SYSTEM_ACCOUNTS_MAX } from './money.ts'
import type { ReplayMoney } from './money.ts'
import { createPartitions } from './partitions.ts'
import type { Partition, PartitionDeps } from './partitions.ts'
import { replayId } from './requested-trade.ts'
import type { RequestedTrade } from './requested-trade.ts'
import type { Fate, ReplayRow } from './rows.ts'
import { firstTickAt } from './tape.ts'
import type { ReplayTape } from './tape.ts'

/** Ticks after which the state hashes are compared. */
export const HASH_EVERY_TICKS = 4_096
/** The one ledger partition of a replay. */
const LEDGER = partitionNumber('ledger', 0)

/** What a replay came to. */
export interface ReplayResult {
  /**
   * The first difference of the engines, in words; null when there is none. The rest then tells of the time
   * before it.
   */
  readonly difference: string | null
  readonly rows: readonly ReplayRow[]
  readonly ticksPlayed: number
  /** Time spent in each engine, over all partitions. */
  readonly elapsedMs: { readonly wasm: number; readonly reference: number }
  /** Of all questions whether a tick triggers something, those that the reference itself was asked. */
  readonly referenceAsked: number
  readonly partitions: number
  /**
   * Of one partition its state hash, of several the first half of the SHA-256 over theirs; null after a
   * difference.
   */
  readonly stateHash: string | null
  /** Null after a difference: the ledger then stands in the middle of a command. */
  readonly money: MoneyReport | null
}

/** What a replay is made of. */
export interface ReplayDeps extends PartitionDeps {
  /** What the insurance has at first, units. Default 0: deficits are refunded from liquidation fees alone. */
  readonly insuranceAtFirst?: Units
}

const createMoney = ({ spec, tape, trades, insuranceAtFirst = 0n }: ReplayDeps): ReplayMoney => {
  const owners = new Set(trades.map(({ account }) => ownerKey(account))).size
  const ledger = createLedgerMachine({
    wasm: loadLedgerModule(),
    accountsMax: owners + SYSTEM_ACCOUNTS_MAX,
    holdsMax: 2 * trades.length + 2,
    idsMax: trades.length + owners + SYSTEM_ACCOUNTS_MAX,
  })
  return createReplayMoney({ ledger, spec, trades, insuranceAtFirst, now: BigInt(tape.timesMs[0] ?? 0) })
}

/** A replay under way: its partitions, its ledger, and what has become of each trade. */
interface Session {
  readonly tape: ReplayTape
  readonly trades: readonly RequestedTrade[]
  readonly partitions: readonly Partition[]
  readonly money: ReplayMoney
  readonly fates: Fate[]
}

const settleAll = (money: ReplayMoney, applied: readonly Applied[], now: bigint): void => {
  for (const { effects } of applied) money.settle(effects, now)
}

/** Gives a partition a tick that triggers something, and takes down what it closed. */
const applyTick = ({ tape, money, fates }: Session, { pair, rowsByNumber }: Partition, index: number): void => {
  const price = tape.prices[index]!
  const previous = index === 0 ? 0n : tape.prices[index - 1]!
  const now = BigInt(tape.timesMs[index]!)
  const tick = encodeTick({
    feedBid: price,
    feedAsk: price,
    quoteTime: now,
    previousBid: previous,
    previousAsk: previous,
  })
  const applied = pair.apply(tick, now, tickName(tape, index))
  for (const { outcomes } of applied) {
    for (const closed of decodeTickOutcome(outcomes[0]!).closed) {
      const { row, opened } = rowsByNumber.get(closed.tradeNumber)!
      rowsByNumber.delete(closed.tradeNumber)
      fates[row] = { state: 'closed', opened, closed }
    }
  }
  settleAll(money, applied, now)
}

/**
 * Plays ticks `from` up to before `to`, in which no trade is due: only those that trigger something reach the
 * engines as commands.
 */
const playTicks = (session: Session, from: number, to: number): void => {
  const { tape, partitions } = session
  const next = partitions.map(({ pair }) => pair.firstTrigger(tape, from, to))
  for (let index = Math.min(...next); index < to; index = Math.min(...next)) {
    for (const [place, partition] of partitions.entries()) {
      if (next[place] !== index) continue
      applyTick(session, partition, index)
      next[place] = partition.pair.firstTrigger(tape, index + 1, to)
    }
  }
}

/** Locks the money of a trade and opens it on the tick that was just applied. */
const openTrade = ({ tape, trades, partitions, money, fates }: Session, row: number, index: number): void => {
  const trade = trades[row]!
  const now = BigInt(tape.timesMs[index]!)
  const price = tape.prices[index]!
  const id = replayId(`trade ${trade.id}`)
  const held = money.hold(id, trade, now)
  if (held !== 'OK') {
    fates[row] = { state: 'refused', code: held }
    return
  }
  const { account, direction, leverage, margin, stopLoss, takeProfit } = trade
  const command = encodeOpen(
    {
      account,
      ledgerPartition: LEDGER,
      direction: directions[direction],
      leverage,
      margin,
      stopLoss,
      takeProfit,
      worstPrice: 0n,
      feedBid: price,
      feedAsk: price,
      quoteTime: now,
      openBps: money.openBps,
    },
    { id },
  )
  const { pair, rowsByNumber } = partitions[partitionIndexOf(account, partitions.length)]!
  const applied = pair.apply(command, now, `trade ${trade.id} at ${tickName(tape, index)}`)
  const outcome = applied[0]!.outcomes[0]!
  const code = codeOfNumber(decodeOutcomeHeader(outcome).code)
  if (code === 'OK') {
    const opened = decodeOpenOutcome(outcome)
    rowsByNumber.set(opened.tradeNumber, { row, opened })
    fates[row] = { state: 'open', opened }
  } else {
    fates[row] = { state: 'refused', code }
  }
  settleAll(money, applied, now)
}

const compareHashes = ({ tape, partitions }: Session, played: number): string[] => {
  const where = played === 0 ? 'at the start' : `after ${tickName(tape, played - 1)}`
  return partitions.map(({ pair }) => pair.stateHash(where))
}

/** Plays the whole tape; answers the state hashes at its end. `onPlayed` hears how far it has come. */
const play = (session: Session, onPlayed: (ticks: number) => void): string[] => {
  const { tape, trades } = session
  const byMoment = trades
    .map((_, row) => row)
    .sort((left, right) => trades[left]!.openAtMs - trades[right]!.openAtMs || left - right)
  let due = 0
  const dueRow = (): RequestedTrade | undefined => trades[byMoment[due] ?? -1]
  for (let from = 0; from < tape.count;) {
    const trade = dueRow()
    const openIndex = trade === undefined ? tape.count : firstTickAt(tape, trade.openAtMs, from)
    const hashIndex = (Math.floor(from / HASH_EVERY_TICKS) + 1) * HASH_EVERY_TICKS
    const to = Math.min(openIndex + 1, hashIndex, tape.count)
    playTicks(session, from, to)
    const opening: number[] = []
    for (let next = dueRow(); next !== undefined && next.openAtMs <= tape.timesMs[to - 1]!; next = dueRow())
      opening.push(byMoment[due++]!)
    for (const row of opening.sort((left, right) => left - right)) openTrade(session, row, to - 1)
    if (to === hashIndex) compareHashes(session, to)
    onPlayed(to)
    from = to
  }
  return compareHashes(session, tape.count)
}

const combined = (hashes: readonly string[]): string =>
  hashes.length === 1 ? hashes[0]! : createHash('sha256').update(hashes.join(' ')).digest('hex').slice(0, 32)

/**
 * Plays a tape into the market's partitions, each in WASM and in the bigint reference, with the same
 * commands. The market has as many partitions as its manifest says, so that each account meets its share of
 * the market's limits; the ledger is one. `now` of every command is its tick's time. A tick comes first, then
 * the trades due at it, in the order of their rows.
 */
export const runReplay = (deps: ReplayDeps): ReplayResult => {
  const { spec, tape, trades, insuranceAtFirst = 0n } = deps
  const market: MarketPlace = { symbol: spec.symbol, market: 1, partitions: spec.engine.partitions }
  const fates: Fate[] = trades.map(() => ({ state: 'not-due' }))
  let partitions: readonly Partition[] = []
  let ticksPlayed = 0
  const result = (end: Pick<ReplayResult, 'difference' | 'stateHash' | 'money'>): ReplayResult => ({
    ...end,
    rows: rowsOf(),
    ticksPlayed,
    elapsedMs: {
      wasm: partitions.reduce((sum, { pair }) => sum + pair.elapsedMs().wasm, 0),
      reference: partitions.reduce((sum, { pair }) => sum + pair.elapsedMs().reference, 0),
    },
    referenceAsked: partitions.reduce((sum, { pair }) => sum + pair.referenceAsked(), 0),
    partitions: market.partitions,
  })
  const rowsOf = (): ReplayRow[] => trades.map((requested, row) => ({ requested, fate: fates[row]! }))
  try {
    partitions = createPartitions(deps, market)
    const money = createMoney(deps)
    const hashes = play({ tape, trades, partitions, money, fates }, (ticks) => {
      ticksPlayed = ticks
    })
    const machines = partitions.map(({ pair }) => pair.machine)
    const report = checkMoney({ money, machines, rows: rowsOf(), currency: spec.quoteAsset, insuranceAtFirst })
    return result({ difference: null, stateHash: combined(hashes), money: report })
  } catch (error) {
    // A difference is a result of the replay; anything else is a bug.
    if (!(error instanceof EnginesDiffer)) throw error
    return result({ difference: error.message, stateHash: null, money: null })
  }
}
