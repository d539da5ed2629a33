import type { Group, Sample } from '../../row.ts'
import { atLeast } from '../../goals.ts'
import {
  applyAll,
  closeCommand,
  createChance,
  createMarket,
  fillMarket,
  ID_WINDOW_MS,
  openCommand,
  SEGMENT_COMMANDS,
  usualTrade,
} from '../../market.ts'
import { performance } from 'node:perf_hooks'

const OPEN_TRADES = 100_000
const OPERATIONS = 524_288
const WARM_OPERATIONS = 65_536

/** Opens and closes in turn, each with an id; a close takes any open trade. Every command succeeds. */
const commandsOf = (count: number, firstIndex: number, open: { trade: number; account: number }[]): Uint8Array[][] => {
  const chance = createChance(firstIndex)
  let index = firstIndex
  const commands = Array.from({ length: count }, (_, turn) => {
    if (turn % 2 === 0) {
      const words = usualTrade(index)
      index += 1
      open.push({ trade: index, account: words.account })
      return openCommand(words)
    }
    const at = chance(open.length)
    const { trade, account } = open[at]!
    open[at] = open.at(-1)!
    open.pop()
    return closeCommand(trade, account)
  })
  return Array.from({ length: count / SEGMENT_COMMANDS }, (_, segment) =>
    inOneFrame(commands.slice(segment * SEGMENT_COMMANDS, (segment + 1) * SEGMENT_COMMANDS)),
  )
}

/** The same commands as views of one piece of memory, as a frame of the network has them. */
const inOneFrame = (commands: readonly Uint8Array[]): Uint8Array[] => {
  const frame = new Uint8Array(commands.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  return commands.map((command) => {
    frame.set(command, at)
    at += command.length
    return frame.subarray(at - command.length, at)
  })
}

const measure = async (): Promise<Record<string, Sample>> => {
  const machine = createMarket({ tradesMax: 2 * OPEN_TRADES, idsMax: 2 * OPERATIONS })
  const { nowMs: filledMs } = fillMarket(machine, OPEN_TRADES, usualTrade)
  const open = Array.from({ length: OPEN_TRADES }, (_, index) => ({
    trade: index + 1,
    account: usualTrade(index).account,
  }))
  const warm = commandsOf(WARM_OPERATIONS, OPEN_TRADES, open)
  const batches = commandsOf(OPERATIONS, OPEN_TRADES + WARM_OPERATIONS / 2, open)
  let nowMs = filledMs + ID_WINDOW_MS + 1n
  for (const batch of warm) applyAll(machine, batch, nowMs)
  nowMs += 1n
  let bytes = 0
  let effects = 0
  const startMs = performance.now()
  for (const batch of batches) {
    const applied = machine.apply(batch, nowMs, machine.behaviourVersion)
    for (const outcome of applied.outcomes) bytes += outcome.length
    effects += applied.effects.length
  }
  const tookMs = performance.now() - startMs
  // OPEN answers 152 bytes, CLOSE 208, and each tells a ledger: nothing was refused.
  if (bytes !== (OPERATIONS / 2) * (152 + 208) || effects !== OPERATIONS)
    throw new Error(`the mix gave ${bytes} bytes of outcomes and ${effects} effects`)
  return { 'core/trading': { value: (OPERATIONS * 1_000) / tookMs, peers: {} } }
}

/** The trading machine by itself. */
export const coreTrading: Group = {
  name: 'core/trading',
  rows: [
    {
      name: 'core/trading',
      what:
        'Opens and closes in turn at 100,000 open trades, in batches of 512, from binary command to binary outcome and ' +
        'ledger effect, each with its id looked up and remembered',
      unit: 'ops/s',
      kind: 'core',
      goal: atLeast(1_000_000, 'ops/s'),
    },
  ],
  measure,
}
