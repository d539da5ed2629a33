import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { instantiateSync } from '@assemblyscript/loader'

const RULES = fileURLToPath(new URL('../../../../../risk-rules', import.meta.url))
const COMPILER = fileURLToPath(new URL('../../../../../node_modules/assemblyscript/bin/asc.js', import.meta.url))

/**
 * A loop over trades in memory that calls the trading machine's own function for each: the market has no door that does nothing
 * else.
 */
const SOURCE = `
import { TABLE_CONTINUITY, TABLE_TIERS, TIER_BYTES, Trade, TRADE_BYTES } from '@assembly/trading/layout'
import { liquidationKey } from '@assembly/trading/rules'
import { init, market, tableAt } from '@assembly/trading/state'

let trades: usize = 0
let keys: usize = 0

export function prepare(count: u32, tickSize: i64, funding: i64): void {
  init(1, 1)
  market.tickSize = tickSize
  market.funding = funding
  trades = <usize>memory.size() << 16
  keys = trades + <usize>count * TRADE_BYTES
  memory.grow(<i32>((<usize>count * (TRADE_BYTES + 8) >> 16) + 1))
}

export function setTier(k: u32, rate: i64, continuity: i64): void {
  const table = tableAt(0)
  store<u32>(table, k + 1, 4)
  store<i64>(table + TABLE_TIERS + <usize>k * TIER_BYTES, rate, 8)
  store<i64>(table + TABLE_CONTINUITY + (<usize>k << 3), continuity)
}

export function setTrade(index: u32, direction: u32, margin: i64, quantity: i64, entryPrice: i64, fundingAtOpen: i64): void {
  const trade = changetype<Trade>(trades + <usize>index * TRADE_BYTES)
  trade.direction = direction
  trade.margin = margin
  trade.quantity = quantity
  trade.entryPrice = entryPrice
  trade.fundingAtOpen = fundingAtOpen
}

export function run(count: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    store<i64>(keys + (<usize>index << 3), liquidationKey(changetype<Trade>(trades + <usize>index * TRADE_BYTES)))
  }
}

export function keysPtr(): usize { return keys }
`

/** The compiled loop. Prices and amounts in units of 1e-8. */
export interface LiquidationLoop extends Record<string, unknown> {
  readonly prepare: (count: number, tickSize: bigint, funding: bigint) => void
  readonly setTier: (k: number, rate: bigint, continuity: bigint) => void
  readonly setTrade: (
    index: number,
    direction: number,
    margin: bigint,
    quantity: bigint,
    entryPrice: bigint,
    fundingAtOpen: bigint,
  ) => void
  /** Computes the prices of the first `count` trades into the table at `keysPtr` (i64 each). */
  readonly run: (count: number) => void
  readonly keysPtr: () => number
  readonly memory: WebAssembly.Memory
}

/** Compiles the loop with the options of the release build. */
export const compileLoop = (): LiquidationLoop => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-bench-loop-'))
  try {
    const entry = join(folder, 'entry.ts')
    const out = join(folder, 'out.wasm')
    writeFileSync(entry, SOURCE.replaceAll('@assembly', relative(folder, join(RULES, 'assembly'))))
    const options = ['--config', 'asconfig.json', '--target', 'release', '--outFile', out]
    const { status, stderr } = spawnSync(process.execPath, [COMPILER, relative(RULES, entry), ...options], {
      cwd: RULES,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`the loop does not compile: ${stderr}`)
    const abort = (_message: number, _file: number, line: number): never => {
      throw new WebAssembly.RuntimeError(`the loop gave up at line ${line >>> 0}`)
    }
    const module = new WebAssembly.Module(new Uint8Array(readFileSync(out)))
    return instantiateSync<LiquidationLoop>(module, { env: { abort } }).exports
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
