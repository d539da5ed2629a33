import { DatabaseSync } from 'node:sqlite'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { CONTROL_SCHEMA, createRuleList } from '@bourse/common/simulator/controlState.ts'
import type { Fault } from '@bourse/common/simulator/faults.ts'
import { exchangeCalls } from '@bourse/mock-exchange/calls.ts'
import { createExchange, EXCHANGE_SCHEMA, type FillRule } from '@bourse/mock-exchange/exchange.ts'
import type { Faults } from '../faults/faults.ts'
import type { FaultKind } from '../faults/kinds.ts'
import type { NetworkHandler } from '../ports/ground.ts'
import type { World } from '../world/world.ts'
import type { OrderTimes } from './order-times.ts'
import { compileCalls, createWire } from './wire.ts'

/** An order as the exchange has it in its books. */
export interface ExecutedOrder {
  readonly clientOrderId: string | null
  readonly symbol: string
  readonly side: 'BUY' | 'SELL'
  readonly quantity: string
  readonly status: 'FILLED' | 'REJECTED'
  readonly executedPrice?: string
  readonly executedQty?: string
  readonly at: number
}

/** The exchange of the simulated world: the mock exchange's logic, with its books in memory. */
export interface SimulatedExchange {
  readonly handler: NetworkHandler
  price(symbol: string): bigint
  setPrice(symbol: string, price: bigint): void
  /** All orders that ever arrived, oldest first. */
  orders(): readonly ExecutedOrder[]
  close(): void
}

/** Longest that a slow exchange or bank takes to answer, ms. */
const SLOW_MS_MAX = 8_000
const PAGE = 1_000
const PERCENT = 100n

const kinds = {
  'exchange-reject': 'reject',
  'exchange-error': 'error',
  'exchange-hang': 'hang',
  'exchange-slow': 'slow',
  'exchange-drop': 'drop',
  'exchange-twice': 'twice',
} as const satisfies Partial<Record<FaultKind, Fault['kind']>>

/** The first of these faults that strikes, as the simulators' control interface writes it. */
export const struckFault = (
  world: World,
  faults: Faults,
  table: Readonly<Partial<Record<FaultKind, Fault['kind']>>>,
): Fault | undefined => {
  for (const [kind, played] of Object.entries(table) as [FaultKind, Fault['kind']][]) {
    if (!faults.strikes(kind)) continue
    const ms = played === 'slow' ? { ms: world.chance('outside/slow').between(1, SLOW_MS_MAX) } : {}
    return { on: kind, kind: played, ...ms }
  }
  return undefined
}

/** Makes the factory of exchanges; one for all seeds of a process (schemas are compiled once). */
export const createExchangeMaker = () => {
  const schemas = compileCalls(exchangeCalls({} as ReturnType<typeof createExchange>))
  return (deps: {
    readonly world: World
    readonly faults: Faults
    readonly nowMs: () => number
    readonly prices: ReadonlyMap<string, bigint>
    readonly times: OrderTimes
  }): SimulatedExchange => {
    const { world, faults } = deps
    const database = new DatabaseSync(':memory:')
    database.exec(CONTROL_SCHEMA + EXCHANGE_SCHEMA)
    const fills = createRuleList<FillRule>(database, 'fills')
    const exchange = createExchange(database, fills)
    const setPrice = (symbol: string, price: bigint): void => exchange.setPrices({ [symbol]: formatAmount(price) })
    for (const [symbol, price] of deps.prices) setPrice(symbol, price)

    /** The next order executes at a worse price, or in part. */
    const bendFill = (): void => {
      const chance = world.chance('outside/fill')
      const [first] = deps.prices.keys()
      const price = parseAmount(exchange.prices()[first ?? ''] ?? '1')
      const bent = (price * BigInt(chance.between(90, 110))) / PERCENT
      const rule: FillRule = chance.chance(50)
        ? { executedPrice: formatAmount(bent > 0n ? bent : 1n), count: 1 }
        : { executedQty: formatAmount(BigInt(chance.between(1, 1_000)) * 10_000_000n), count: 1 }
      fills.replace([rule])
    }
    /** One that only the decider's clock, which is ahead, keeps valid. */
    const isLost = (body: string): boolean => {
      const order = JSON.parse(body) as { readonly clientOrderId: string; readonly validUntil: number }
      return deps.times.isOutlived(order.clientOrderId) && deps.nowMs() <= order.validUntil
    }
    const wire = createWire({
      name: 'exchange',
      world,
      nowMs: deps.nowMs,
      calls: exchangeCalls(exchange),
      schemas,
      faultOf: () => struckFault(world, faults, kinds),
    })
    return {
      handler: (call) => {
        if (call.method === 'POST' && isLost(call.body)) return { answer: 'cut', delayMs: 0 }
        if (call.method === 'POST' && faults.strikes('exchange-fill')) bendFill()
        return wire(call)
      },
      price: (symbol) => parseAmount(exchange.prices()[symbol] ?? '0'),
      setPrice,
      orders: () => {
        const all: ExecutedOrder[] = []
        for (let page: ExecutedOrder[] | null = null; page === null || page.length === PAGE; all.push(...page))
          page = JSON.parse(exchange.orders(all.length, PAGE).text) as ExecutedOrder[]
        return all
      },
      close: () => database.close(),
    }
  }
}
