/**
 * A little platform for the tests of ledger and trading: real machines and runners on the embedded adapters in a
 * folder of its own; 2 ledger partitions, BTC_USDC with 2 partitions, ETH_USDC with 1, and a quote that stands until
 * it is changed.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { createFolds } from '@bourse/all-in-one/platform/projections.ts'
import { checkMoney } from '@bourse/all-in-one/verification/money.ts'
import { createEmbeddedBus } from '@bourse/common/adapters/embedded/bus.ts'
import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { openSqliteViews } from '@bourse/common/adapters/embedded/views.ts'
import type { Result } from '@bourse/common/errors/codes.ts'
import { createPartitionClient, type PartitionClient } from '@bourse/common/kernel/client.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import { partitionNumber, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord, type JournalRecord } from '@bourse/common/kernel/record.ts'
import { createRunner, type Runner } from '@bourse/common/kernel/runner.ts'
import { effectsInFlight, verifyPartition } from '@bourse/common/kernel/verification.ts'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { allPartitions, ledgerPartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import type { Bus } from '@bourse/common/ports/bus.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { parseTradingPair, type TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { createPatientClock } from '@bourse/common/testkit/patient-clock.ts'
import { viewModels } from '@bourse/common/views/models.ts'
import { startProjector, type Projector } from '@bourse/common/views/projector.ts'
import { createLedgerClient } from '@bourse/ledger/client/ledger-client.ts'
import type { LedgerClient } from '@bourse/ledger/client/types.ts'
import { createLedgerMachine, loadLedgerModule } from '@bourse/risk-rules/ledger/machine.ts'
import {
  accountsQuestion,
  decodeAccounts,
  decodeHolds,
  holdsQuestion,
  PAGE_LIMIT_MAX,
  type AccountRecord,
} from '@bourse/risk-rules/ledger/queries.ts'
import { systemAccountKey, type SystemAccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createTradingClient, type MarketTerms } from '../src/client/trading-client.ts'
import type { CloseTradeRequest, CreateTradeRequest, TradingClient, UpdateTradeRequest } from '../src/client/types.ts'
import { specCommand } from '../src/host/spec.ts'
import { createTradingHost, type TradingQuote } from '../src/host/trading-host.ts'

/** Far from the end of a day and of an hour: funding comes when a test lets the hour pass, and not besides. */
const START_MS = Date.UTC(2026, 2, 10, 12, 10)
/** For what the tests themselves wait for, a slow disk included. */
const WAIT_MS_MAX = 60_000

export const BTC = 'BTC_USDC'
export const ETH = 'ETH_USDC'
export const topology: Topology = {
  ledgerPartitions: 2,
  bridgePartitions: 0,
  markets: new Map([
    [BTC, { symbol: BTC, market: 1, partitions: 2 }],
    [ETH, { symbol: ETH, market: 2, partitions: 1 }],
  ]),
}

const sixteen = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest().subarray(0, 16))

/** The `number`th user whose money lies in this ledger partition; of BTC_USDC the trades then lie in the same index. */
export const userAt = (ledgerIndex: number, number = 0): Uint8Array => {
  for (let seen = -1, attempt = 0; ; attempt++) {
    const owner = ownerOfUuid(Buffer.from(sixteen(`user ${attempt}`)).toString('hex'))
    if (partitionParts(ledgerPartitionOf(topology, owner)).index === ledgerIndex) seen += 1
    if (seen === number) return owner
  }
}

/** The identity of a request with this key; a `request` of another name is another request. */
export const keyed = (key: string, request = key): CommandIdentity => ({
  id: sixteen(`key ${key}`),
  requestHash: sixteen(`request ${request}`),
  keyed: true,
})

let unkeyedCount = 0
/** The identity of a request without a key. */
export const unkeyed = (): CommandIdentity => ({
  id: sixteen(`unkeyed ${++unkeyedCount}`),
  requestHash: sixteen('request'),
  keyed: false,
})

/** What a test wants different in a pair's spec. */
export type SpecParts = Readonly<Record<string, unknown>>

/** The spec of a pair as its manifest gives it. Fees 5, 5 and 50 bps, no spread, no funding, quotes of any age. */
export const specOf = (symbol: string, parts: SpecParts = {}): TradingPairSpec => {
  const [baseAsset, quoteAsset] = symbol.split('_')
  const parsed = parseTradingPair({
    apiVersion: 'bourse.dev/v1alpha1',
    kind: 'TradingPair',
    metadata: { name: symbol.toLowerCase().replace('_', '-') },
    spec: {
      symbol,
      type: 'CFD',
      baseAsset,
      quoteAsset,
      tickSize: '0.01',
      lotSize: '0.00001',
      margin: {
        maxLeverage: 100,
        tiers: [
          { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
          { notionalFloor: '250000', maintenanceRate: '0.01', maxLeverage: 50 },
        ],
      },
      fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
      prices: { maxAgeSeconds: 86_400 },
      engine: { partitions: topology.markets.get(symbol)?.partitions ?? 1 },
      ...parts,
    },
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.value.spec
}

/** The value of a success; throws the refusal of anything else. */
export const valueOf = <Value>(result: Result<Value>): Value => {
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.message}`)
  return result.value
}

/** `OK` or the code of the refusal. */
export const codeOf = (result: Result<unknown>): string => (result.ok ? 'OK' : result.refusal.code)

/** What a test may turn while the platform runs. */
export interface Dials {
  terms: Map<string, MarketTerms>
  viewsAreFresh: (partition: PartitionNumber) => boolean
  /** How long the client waits for the views. */
  projectionWaitMs: number
  /** How long the bus keeps what a partition tells a ledger. */
  effectDelayMs: number
}

/** A running platform. */
export interface Platform {
  readonly clock: Clock
  readonly journal: Journal
  readonly views: Views
  readonly partitions: PartitionClient
  readonly trading: TradingClient
  readonly ledger: LedgerClient
  readonly dials: Dials
  /** Moves wall-clock time on, for machines and quotes. */
  jump(deltaMs: number): void
  /** Puts a spec in order in every partition of its market; the client's terms follow unless told not to. */
  specify(spec: TradingPairSpec, options?: { readonly termsToo: boolean }): Promise<void>
  /** Gives a market a price and waits until each of its partitions has judged it. */
  quote(asset: string, bid: string, ask?: string): Promise<void>
  /** Opens an account with a grant. */
  fund(owner: Uint8Array, amount: string): Promise<void>
  /** An open of these words; the rest as most tests want it. */
  open(account: Uint8Array, parts?: Partial<CreateTradeRequest>): ReturnType<TradingClient['createTrade']>
  close(
    account: Uint8Array,
    tradeId: string,
    parts?: Partial<CloseTradeRequest>,
  ): ReturnType<TradingClient['closeTrade']>
  /** An update that changes these and leaves the rest as it is. */
  update(
    account: Uint8Array,
    tradeId: string,
    parts: Partial<UpdateTradeRequest>,
  ): ReturnType<TradingClient['updateTrade']>
  /** Resolves once nothing is on its way and the views hold everything. */
  settled(): Promise<void>
  /** Balance and what is locked of it, as decimal strings. */
  money(owner: Uint8Array): Promise<{ readonly balance: string; readonly locked: string }>
  /** Balance of a system account over all ledger partitions, a decimal string. */
  system(kind: SystemAccountKind, of?: string): Promise<string>
  /** Open holds of all ledger partitions. */
  holds(): Promise<number>
  records(partition: PartitionNumber): Promise<JournalRecord[]>
  /** Makes the machines forget every id: eleven minutes pass, and each partition hears of it. */
  forgetIds(): Promise<void>
  /** Stops projecting until the function it answers is called. */
  holdViews(): Promise<() => Promise<void>>
  /** Empties the views and folds every record anew. */
  rebuildViews(): Promise<void>
  /** Verifies journals and money from genesis, then stops everything. @throws when anything does not add up */
  end(): Promise<void>
}

const ledgerModule = loadLedgerModule()
const tradingModule = loadTradingModule()
const makeLedger = () => createLedgerMachine({ wasm: ledgerModule, accountsMax: 256, holdsMax: 1_024, idsMax: 4_096 })
const makeTrading = () => createTradingMachine({ wasm: tradingModule, tradesMax: 256, idsMax: 4_096 })
const factoryOf = (partition: PartitionNumber) =>
  partitionParts(partition).machine === 'ledger' ? makeLedger : makeTrading
const hostOf = (partition: PartitionNumber): MachineHost<TradingQuote> =>
  partitionParts(partition).machine === 'ledger' ? { factory: makeLedger } : createTradingHost(makeTrading)

const partitionsOfMarket = (asset: string): PartitionNumber[] => {
  const market = topology.markets.get(asset)!
  return Array.from({ length: market.partitions }, (_, index) => partitionNumber('trading', index, market.market))
}

/** Starts a platform: both markets open with their specs and a price of 100.00. */
export const openPlatform = async (): Promise<Platform> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-trading-'))
  // All of it is in this process: no deadline ends because the machine let it wait.
  const system = createPatientClock(START_MS)
  let offsetMs = 0
  const clock: Clock = { ...system, nowMs: () => system.nowMs() + offsetMs }
  const logger = pino({ level: 'silent' })
  const dials: Dials = { terms: new Map(), viewsAreFresh: () => true, projectionWaitMs: WAIT_MS_MAX, effectDelayMs: 0 }
  const embedded = createEmbeddedBus({ clock })
  const bus: Bus = {
    ...embedded,
    send: async (partition, message) => {
      const isSlow = message.type === 'effect' && partitionParts(partition).machine === 'ledger'
      if (isSlow && dials.effectDelayMs > 0) await clock.sleep(dials.effectDelayMs)
      await embedded.send(partition, message)
    },
  }
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const snapshots = await openFileSnapshots({ folder: join(folder, 'snapshots'), clock })
  const views = openSqliteViews({ path: join(folder, 'views.sqlite'), models: viewModels })
  const events = createEmbeddedEvents({ journal, clock })
  const numbers = allPartitions(topology)
  const runners = new Map<PartitionNumber, Runner<TradingQuote>>()
  for (const partition of numbers) {
    const runner = createRunner<TradingQuote>({
      partition,
      host: hostOf(partition),
      ...{ bus, journal, snapshots, events, clock, logger },
      snapshotPolicy: { intervalMs: 3_600_000, keep: 3, compression: 'none' },
    })
    await runner.start()
    runners.set(partition, runner)
  }
  const project = (): Promise<Projector> =>
    startProjector({
      projection: 'test',
      partitions: numbers,
      foldOf: createFolds(topology, views),
      ...{ events, views, clock, logger },
    })
  let projector = await project()
  const partitions = createPartitionClient({ bus })
  const shared = {
    ...{ partitions, topology, views },
    viewsAreFresh: (partition: PartitionNumber) => dials.viewsAreFresh(partition),
  }
  const ledger = createLedgerClient(shared)
  const trading = createTradingClient({
    ...shared,
    termsOf: (asset) => dials.terms.get(asset) ?? null,
    projected: (partition, sequence) => projector.waitFor(partition, sequence, dials.projectionWaitMs),
  })

  const specify: Platform['specify'] = async (spec, { termsToo } = { termsToo: true }) => {
    if (termsToo) dials.terms.set(spec.symbol, { quoteAsset: spec.quoteAsset, openBps: spec.fees.openBps })
    const market = topology.markets.get(spec.symbol)!
    for (const partition of partitionsOfMarket(spec.symbol)) {
      const command = specCommand(spec, topology, market, partitionParts(partition).index)
      const answer = valueOf(await partitions.command(partition, command, WAIT_MS_MAX))
      if (answer.outcome[4] !== 0) throw new Error(`the spec was refused with ${answer.outcome[4]}`)
    }
  }
  const accounts = async (): Promise<AccountRecord[]> => {
    const all: AccountRecord[] = []
    for (let index = 0; index < topology.ledgerPartitions; index++) {
      const question = accountsQuestion(0, PAGE_LIMIT_MAX)
      const answer = await partitions.read(partitionNumber('ledger', index), question, { deadlineMs: WAIT_MS_MAX })
      all.push(...decodeAccounts(valueOf(answer).outcome))
    }
    return all
  }
  const quiet = async (): Promise<void> => {
    const isQuiet = (): boolean =>
      [...runners.values()].every((runner) => {
        const { waiting, unconfirmedEffects } = runner.status()
        return waiting === 0 && unconfirmedEffects === 0
      })
    // An effect that is confirmed may have caused another: nothing moves when two looks in a row find the same.
    for (let before = ''; ;) {
      const now = [...runners.values()].map((runner) => runner.status().sequence).join()
      if (isQuiet() && now === before) return
      before = now
      await clock.sleep(2)
    }
  }
  const settled = async (): Promise<void> => {
    await quiet()
    for (const [partition, runner] of runners) {
      const { sequence } = runner.status()
      if (!(await projector.waitFor(partition, sequence, WAIT_MS_MAX))) throw new Error('the views do not keep up')
    }
  }
  const records = async (partition: PartitionNumber): Promise<JournalRecord[]> => {
    const all: JournalRecord[] = []
    for await (const stored of journal.readFrom(partition, 1n)) all.push(decodeRecord(stored.body))
    return all
  }
  const verify = async (): Promise<void> => {
    const verified = []
    for (const partition of numbers)
      verified.push(await verifyPartition({ journal, snapshots, factory: factoryOf(partition) }, partition))
    const states = verified.flatMap(({ state }) => (state === null ? [] : [state]))
    const flight = await effectsInFlight(journal, states)
    const money = checkMoney(states, flight.effects)
    const faults = [...verified.flatMap((one) => one.faults), ...flight.faults, ...money.faults]
    if (faults.length > 0 || flight.effects.length > 0)
      throw new Error(`it does not add up: ${JSON.stringify({ faults, inFlight: flight.effects.length })}`)
  }

  const platform: Platform = {
    ...{ clock, journal, views, partitions, trading, ledger, dials, specify, settled, records },
    jump: (deltaMs) => void (offsetMs += deltaMs),
    quote: async (asset, bid, ask = bid) => {
      const quote = { feedBid: parseAmount(bid), feedAsk: parseAmount(ask), timeMs: clock.nowMs() }
      for (const partition of partitionsOfMarket(asset)) runners.get(partition)!.observe(quote)
      await trading.marketState(asset)
    },
    fund: async (owner, amount) => {
      valueOf(await ledger.openAccount(unkeyed(), owner, 'USDC', parseAmount(amount)))
    },
    open: (account, parts = {}) =>
      trading.createTrade({
        identity: unkeyed(),
        account,
        asset: BTC,
        direction: 'LONG',
        margin: parseAmount('100'),
        leverage: 10,
        stopLossPrice: null,
        takeProfitPrice: null,
        worstPrice: null,
        ...parts,
      }),
    close: (account, tradeId, parts = {}) =>
      trading.closeTrade({ identity: unkeyed(), account, tradeId, worstPrice: null, ...parts }),
    update: (account, tradeId, parts) =>
      trading.updateTrade({
        identity: unkeyed(),
        account,
        tradeId,
        stopLossPrice: undefined,
        takeProfitPrice: undefined,
        ...parts,
      }),
    money: async (owner) => {
      const found = valueOf(await ledger.balances(owner)).find(({ currency }) => currency === 'USDC')!
      return { balance: formatAmount(found.balance), locked: formatAmount(found.locked) }
    },
    system: async (kind, of = '') => {
      const key = systemAccountKey(kind, 'USDC', of)
      const own = (await accounts()).filter(
        (account) => account.kind === kind && Buffer.compare(account.owner, key.owner) === 0,
      )
      return formatAmount(own.reduce((sum, account) => sum + account.balance, 0n))
    },
    holds: async () => {
      let count = 0
      for (let index = 0; index < topology.ledgerPartitions; index++) {
        const question = holdsQuestion(0, PAGE_LIMIT_MAX)
        const answer = await partitions.read(partitionNumber('ledger', index), question, { deadlineMs: WAIT_MS_MAX })
        count += decodeHolds(valueOf(answer).outcome).length
      }
      return count
    },
    forgetIds: async () => {
      await settled()
      offsetMs += 11 * 60_000
      // Each machine forgets with the next record it applies: a credit here, the same spec again there.
      for (let index = 0; index < topology.ledgerPartitions; index++)
        valueOf(await ledger.adjust(unkeyed(), userAt(index, 9), 'USDC', 1n, 'time passes'))
      for (const asset of topology.markets.keys()) {
        await platform.quote(asset, '100.00')
        await specify(specOf(asset))
      }
      await settled()
    },
    holdViews: async () => {
      await projector.stop()
      return async () => {
        projector = await project()
      }
    },
    rebuildViews: async () => {
      await settled()
      await projector.stop()
      await views.clear('test', viewModels)
      projector = await project()
      await settled()
    },
    end: async () => {
      try {
        await settled()
        await verify()
      } finally {
        await projector.stop()
        for (const runner of runners.values()) await runner.stop({ snapshot: false })
        await events.close()
        await bus.close()
        await views.close()
        await snapshots.close()
        await journal.close()
        await system.stop()
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
  for (const asset of topology.markets.keys()) {
    await specify(specOf(asset))
    await platform.quote(asset, '100.00')
  }
  return platform
}
