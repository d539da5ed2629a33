import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionIndexOf } from '@bourse/common/kernel/partition.ts'
import type { MarketPlace, Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import type { OpenTrade } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import type { TradingCapacities, TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { specCommand } from '@bourse/trading/host/spec.ts'
import { createEnginePair } from './engine-pair.ts'
import type { EnginePair } from './engine-pair.ts'
import { ASK_EVERY, createPlainWatch, createQuietWatch } from './quiet-watch.ts'
import type { RequestedTrade } from './requested-trade.ts'
import type { ReplayTape } from './tape.ts'

/** Where the engines of a replay come from. */
export interface EngineFactories {
  readonly wasm: (capacities: TradingCapacities) => TradingMachine
  readonly reference: (capacities: TradingCapacities) => TradingMachine
}

/** The engines as `npm run build` made them. */
export const realEngines = (): EngineFactories => {
  const wasm = loadTradingModule()
  return {
    wasm: (capacities) => createTradingMachine({ wasm, ...capacities }),
    reference: createReferenceTradingMachine,
  }
}

/** What partitions are made of. */
export interface PartitionDeps {
  readonly spec: TradingPairSpec
  readonly tape: ReplayTape
  readonly trades: readonly RequestedTrade[]
  readonly clock: Clock
  readonly engines: EngineFactories
  /** How often the reference is asked what its earlier answers say already; 1 = at every tick. */
  readonly askEvery?: number
}

/** A partition of the market under replay. */
export interface Partition {
  readonly pair: EnginePair
  /** Open trades by number: index of the row. */
  readonly rowsByNumber: Map<bigint, { readonly row: number; readonly opened: OpenTrade }>
}

/** Makes the partitions of a market and gives them its spec. Each has room for all trades of its accounts. */
export const createPartitions = (deps: PartitionDeps, market: MarketPlace): Partition[] => {
  const { spec, tape, trades, clock, engines, askEvery = ASK_EVERY } = deps
  const topology: Topology = {
    ledgerPartitions: 1,
    bridgePartitions: 1,
    markets: new Map([[spec.symbol, market]]),
  }
  const counts = Array.from({ length: market.partitions }, () => 0)
  for (const { account } of trades) counts[partitionIndexOf(account, market.partitions)]! += 1
  return counts.map((count, index) => {
    const capacities = { tradesMax: Math.max(count, 1), idsMax: Math.max(count, 1) }
    const [wasm, reference] = [engines.wasm(capacities), engines.reference(capacities)]
    const watch = askEvery === 1 ? createPlainWatch(reference) : createQuietWatch(reference, spec, askEvery)
    const pair = createEnginePair({
      name: `partition ${index}`,
      wasm: { machine: wasm, watch: createPlainWatch(wasm) },
      reference: { machine: reference, watch },
      clock,
    })
    const now = BigInt(tape.timesMs[0] ?? 0)
    const [applied] = pair.apply(specCommand(spec, topology, market, index), now, 'the market’s spec')
    const code = codeOfNumber(decodeOutcomeHeader(applied!.outcomes[0]!).code)
    if (code !== 'OK') throw new RangeError(`the engine refused the spec of a valid manifest: ${code}`)
    return { pair, rowsByNumber: new Map() }
  })
}
