import { specLayout, tierLayout } from '../../src/trading/commands.ts'
import { TIERS_MAX } from '../../src/trading/numbers.ts'
import { layoutOf, viewOf } from '../../src/trading/struct.ts'
import type { ReferenceIdTable } from '../id-table.ts'
import { createStateHash, wordsOf } from '../state-hash.ts'
import { netQuantityOf, sumOf } from './state.ts'
import type { State, Trade } from './state.ts'

/** Tags of the records of the state hash. */
const tags = { market: 0x6d61726bn, trade: 0x74726164n, table: 0x7461626cn, pending: 0x70656e64n } as const

const marketLayout = layoutOf({
  state: 'u32',
  specified: 'u32',
  funding: 'i64',
  nextFunding: 'i64',
  firstTickAt: 'i64',
  quantityMax: 'i64',
  netQuantity: 'i64',
  marginSum: 'i128',
  lastNumber: 'u64',
  openCount: 'u32',
  pendingCount: 'u32',
  pendingBid: 'i64',
  pendingAsk: 'i64',
  lastTable: 'u32',
  currentTable: 'u32',
})

const tradeLayout = layoutOf({
  number: 'u64',
  account: 'bytes16',
  openId: 'bytes16',
  ledgerPartition: 'u32',
  leverage: 'u32',
  margin: 'i64',
  quantity: 'i64',
  entryPrice: 'i64',
  fundingAtOpen: 'i64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  openFee: 'i64',
  openedAt: 'i64',
  direction: 'u32',
  table: 'u32',
})

const pendingLayout = layoutOf({ reason: 'u64', number: 'u64' })
const tableHeadLayout = layoutOf({ number: 'u32', count: 'u32' })

const marketBytes = (state: State): Uint8Array => {
  const bytes = new Uint8Array(marketLayout.bytes + specLayout.bytes)
  const view = viewOf(bytes)
  const { spec, trades, pending } = state
  marketLayout.write(view, 0, {
    ...state,
    state: state.marketState,
    specified: spec === null ? 0 : 1,
    netQuantity: netQuantityOf(state),
    marginSum: sumOf(state, ({ margin }) => margin),
    openCount: trades.size,
    pendingCount: pending.length,
    currentTable: state.lastTable,
  })
  if (spec !== null) specLayout.write(view, marketLayout.bytes, { ...spec, reserved: 0, tierCount: spec.tiers.length })
  return bytes
}

const tableBytes = (number: number, tiers: Trade['tiers']): Uint8Array => {
  const bytes = new Uint8Array(tableHeadLayout.bytes + TIERS_MAX * tierLayout.bytes)
  const view = viewOf(bytes)
  tableHeadLayout.write(view, 0, { number, count: tiers.length })
  tiers.forEach((tier, index) =>
    tierLayout.write(view, tableHeadLayout.bytes + index * tierLayout.bytes, { ...tier, zero: 0 }),
  )
  return bytes
}

/** The tier tables in use: the spec's, and those of open trades. */
const tablesOf = (state: State, current: Trade['tiers']): Map<number, Trade['tiers']> => {
  const tables = new Map<number, Trade['tiers']>()
  if (state.spec !== null) tables.set(state.lastTable, current)
  for (const { table, tiers } of state.trades.values()) tables.set(table, tiers)
  return tables
}

/** The state hash of the contract between machine and reference: the same records, the same words. */
export const hashOf = (state: State, current: Trade['tiers'], ids: ReferenceIdTable): string => {
  const hash = createStateHash()
  const mix = (bytes: Uint8Array, tag: bigint): void => hash.mix(wordsOf(bytes), tag)
  mix(marketBytes(state), tags.market)
  for (const trade of state.trades.values()) mix(tradeLayout.encode(trade), tags.trade)
  for (const [number, tiers] of tablesOf(state, current)) mix(tableBytes(number, tiers), tags.table)
  for (const { reason, number } of state.pending)
    mix(pendingLayout.encode({ reason: BigInt(reason), number }), tags.pending)
  ids.mix(hash)
  return hash.hex()
}
