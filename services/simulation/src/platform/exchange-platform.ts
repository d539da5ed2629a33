import type { BridgeClient } from '@bourse/bridge/client/types.ts'
import type { MachineFactory } from '@bourse/common/kernel/machine.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank, BankSpec } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { LedgerClient } from '@bourse/ledger/client/types.ts'
import type { TradingClient } from '@bourse/trading/client/types.ts'
import type { SimulatedBank } from '../outside/bank.ts'
import type { ExecutedOrder } from '../outside/exchange.ts'
import type { Disks } from '../ports/disks.ts'

/** The command layer as the clients of one edge reach it. An edge that crashes never answers; a new one stands in its place. */
export interface Edge {
  readonly trading: TradingClient
  readonly ledger: LedgerClient
  readonly bridge: BridgeClient
}

/**
 * The simulated platform: machines, kernel, bridge, market and command layer of the product, on simulated ports, in a number of
 * nodes that can crash, pause, lose their partitions and come back.
 */
export interface SimulatedPlatform {
  readonly topology: Topology
  /** Starts everything and applies the specs of pairs and banks; resolves when all partitions serve. */
  start(): Promise<void>
  /** The edge that a client of this number talks to just now. */
  edgeOf(client: number): Edge
  /**
   * A quote of a price source, through the normaliser of the market service; `ageMs` old by the source's own time (default 0;
   * negative: ahead). Prices are units.
   */
  quote(asset: string, bid: bigint, ask: bigint, ageMs?: number): void
  /** The feed's last believed quote. */
  lastQuote(
    asset: string,
  ): { readonly feedBid: bigint; readonly feedAsk: bigint; readonly receiveTimeMs: number } | null
  /** The pairs as their specs say now: drawn for the seed, changed since by `changePair`. */
  pairs(): readonly TradingPairSpec[]
  /** The banks as their specs say now. */
  banks(): readonly Bank[]
  /**
   * Applies a changed spec as a changed manifest is: told to every partition of the market again and again until it holds
   * there.
   */
  changePair(spec: TradingPairSpec): void
  /** Applies a bank's changed spec in the same way. */
  changeBank(name: string, spec: BankSpec): void
  /** What a symbol of the banks' exchange costs now, units. */
  exchangePrice(symbol: string): bigint
  /** Sets what it costs, from the next ticker or order on. */
  setExchangePrice(symbol: string, price: bigint): void
  /** The exchange's own books: every order that ever arrived, oldest first. */
  orders(): readonly ExecutedOrder[]
  /** A bank's own books. */
  bankBooks(name: string): BankBooks
  /** Heals: crashed and paused nodes come back, every partition is served by one. */
  heal(): void
  /** Whether nothing is under way: all partitions serve, no effect unconfirmed, no outside call open, views at the heads. */
  isQuiet(): boolean
  /** Why it is not quiet, for the report of a run that does not come to rest. */
  unrest(): readonly string[]
  /** The disks, as an inspector reads them: no faults, no delays. */
  readonly disks: Disks
  /** Makes empty machines of the platform's capacities, as its partitions run on: to replay on. */
  factoryOf(partition: PartitionNumber): MachineFactory
  /**
   * What partitions say of themselves, by the serving runner (state hash between two records). Between two runs of the
   * world.
   */
  stateHash(partition: PartitionNumber): Promise<string>
  /**
   * Faults found by the platform's own watch (a machine's own assertion, a partition that failed for good …), a sentence
   * each.
   */
  findings(): readonly string[]
  /** Ends the run: every process is killed, the outside's books are closed. */
  close(): void
}

/** What a bank knows by itself. */
export type BankBooks = Pick<SimulatedBank, 'events' | 'transactions'>
