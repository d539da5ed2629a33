import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import type { MachineExports } from '../host/instance.ts'
import { createWasmMachine } from '../host/machine.ts'
import { TRADES_MAX } from './numbers.ts'

/** Version of the snapshot layout. */
export const TRADING_SCHEMA_VERSION = 2
/** Newest behaviour version; 2: an OPEN that comes again gives its holds back, unless its trade is open; 3: there is UPDATE. */
export const TRADING_BEHAVIOUR_VERSION = 3

/** A market's partition. */
export interface TradingMachine extends Machine {
  /**
   * Whether a TICK with this quote would do anything: a trigger fires, funding is due, or the first tick is
   * not known yet. False while the market is Halted or has no spec. Changes nothing; costs a few nanoseconds.
   */
  wouldTrigger(feedBid: bigint, feedAsk: bigint, quoteTime: bigint): boolean
}

/** What every trading machine is made of. */
export interface TradingCapacities {
  /** Open trades the partition holds; one more is refused CAPACITY_EXCEEDED. At most TRADES_MAX. */
  readonly tradesMax: number
  /** Ids remembered in the window; one more is refused UNAVAILABLE. */
  readonly idsMax: number
}

interface TradingExports extends MachineExports {
  readonly init: (tradesMax: number, idsMax: number) => void
  readonly wouldTrigger: (feedBid: bigint, feedAsk: bigint, quoteTime: bigint) => number
}

/** Throws a RangeError unless the capacities are within what a machine can be made for. */
export const checkCapacities = ({ tradesMax, idsMax }: TradingCapacities): void => {
  if (!Number.isInteger(tradesMax) || tradesMax < 1 || tradesMax > TRADES_MAX) {
    throw new RangeError(`tradesMax is ${tradesMax}; it must be from 1 to ${TRADES_MAX}`)
  }
  if (!Number.isInteger(idsMax) || idsMax < 1 || idsMax > 1 << 22) {
    throw new RangeError(`idsMax is ${idsMax}; it must be from 1 to ${1 << 22}`)
  }
}

/** An empty trading machine in WASM; its memory takes its final size here. */
export const createTradingMachine = (
  deps: TradingCapacities & { readonly wasm: WebAssembly.Module },
): TradingMachine => {
  const { wasm, tradesMax, idsMax } = deps
  checkCapacities(deps)
  const { machine, exports } = createWasmMachine<TradingExports>({
    wasm,
    machine: machineNumbers.trading,
    schemaVersion: TRADING_SCHEMA_VERSION,
    behaviourVersion: TRADING_BEHAVIOUR_VERSION,
    capacities: [tradesMax, idsMax],
    init: (instance) => instance.init(tradesMax, idsMax),
  })
  return {
    ...machine,
    wouldTrigger: (feedBid, feedAsk, quoteTime) => exports().wouldTrigger(feedBid, feedAsk, quoteTime) !== 0,
  }
}
