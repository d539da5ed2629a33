import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { commandOrigins, encodeCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import {
  advance,
  applyCommands,
  emptyPart,
  emptyState,
  recordOf,
  type PartitionState,
} from '@bourse/common/kernel/partition-state.ts'
import { encodeRecord } from '@bourse/common/kernel/record.ts'
import { encodeSnapshot, imageOf, stateHashOf } from '@bourse/common/kernel/snapshot-codec.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import { encodeSpec, TRADES_MAX } from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import {
  closeCommand,
  createChance,
  fillMarket,
  marketSpec,
  openCommand,
  PARTITION,
  PRICE,
  START_MS,
  tickCommand,
  usualTrade,
} from '../../market.ts'

/** Where the parts of a partition's data lie in its folder. */
export const placesIn = (folder: string) => ({
  journal: join(folder, 'journal.sqlite'),
  snapshots: join(folder, 'snapshots'),
  /** What the state hashed to when it was written. */
  stateHash: join(folder, 'state-hash'),
})

/** Ids that the partition remembers: as the embedded platform makes its partitions. */
const IDS_MAX = 524_288

/** The machine as the embedded platform makes it: room for the most trades there can be. */
export const createMachine = (): TradingMachine =>
  createTradingMachine({ wasm: loadTradingModule(), tradesMax: TRADES_MAX, idsMax: IDS_MAX })

/** Applies and journals one record; the state is past it when this returns, the record on the disk when the promise resolves. */
export const appendRecord = (
  state: PartitionState,
  journal: Journal,
  inputs: readonly Uint8Array[],
  now: bigint,
): Promise<unknown> => {
  const part = emptyPart()
  applyCommands(state, part, inputs, now)
  const record = recordOf(state, part, now)
  const stored = encodeRecord(record)
  advance(state, record, stored.hash)
  return journal.append(state.partition, stored)
}

/** Opens and closes in turn, from trade `count` on: what a partition with `count` open trades goes on with. */
const createMix = (count: number): (() => Uint8Array) => {
  const chance = createChance(count)
  const recent: { readonly trade: number; readonly account: number }[] = []
  let index = count
  return () => {
    if (recent.length > 64) {
      const [{ trade, account }] = recent.splice(chance(recent.length), 1) as [(typeof recent)[number]]
      return closeCommand(trade, account)
    }
    const words = usualTrade(index)
    index += 1
    recent.push({ trade: index, account: words.account })
    // A close of this market's older trades now and then: what lies anywhere in memory.
    const older = chance(count)
    if (count > 0 && index % 2 === 0) recent.push({ trade: older + 1, account: usualTrade(older).account })
    return openCommand(words)
  }
}

/** How much data to prepare. */
export interface DataSize {
  readonly openTrades: number
  readonly records: number
  readonly commandsPerRecord: number
}

/** Commands of a preparation that share one transaction of the journal. */
const APPENDS_AT_ONCE = 512

const writeTail = async (state: PartitionState, journal: Journal, size: DataSize, from: bigint): Promise<void> => {
  const next = createMix(size.openTrades)
  let appends: Promise<unknown>[] = []
  for (let record = 0; record < size.records; record++) {
    const inputs = Array.from({ length: size.commandsPerRecord }, next)
    appends.push(appendRecord(state, journal, inputs, from + BigInt(record)))
    if (appends.length < APPENDS_AT_ONCE) continue
    await Promise.all(appends)
    appends = []
  }
  await Promise.all(appends)
}

/**
 * Writes a partition's data: a snapshot of a market with so many open trades, then so many records. The trades lie in the
 * snapshot alone, as if the records that opened them had long been archived. Every effect is confirmed.
 */
const write = async (folder: string, size: DataSize): Promise<void> => {
  const places = placesIn(folder)
  const clock = createSystemClock()
  const journal = openSqliteJournal({ path: places.journal })
  const snapshots = await openFileSnapshots({ folder: places.snapshots, clock })
  const machine = createMachine()
  const state = emptyState(PARTITION, machine)
  let now = START_MS
  if (size.openTrades > 0) {
    machine.apply([encodeSpec(marketSpec), tickCommand(PRICE)], now, machine.behaviourVersion)
    now = fillMarket(machine, size.openTrades, usualTrade).nowMs
    const time = encodeCommand({ kind: KIND_TIME, origin: commandOrigins.runner }, new Uint8Array(0))
    await appendRecord(state, journal, [time], now)
    await snapshots.write(PARTITION, state.sequence, await encodeSnapshot(imageOf(state), 'zstd'))
  } else await appendRecord(state, journal, [encodeSpec(marketSpec), tickCommand(PRICE)], now)
  await writeTail(state, journal, size, now)
  await journal.saveCursors(
    PARTITION,
    [...state.numbers].map(([receiver, confirmed]) => ({ receiver, confirmed, recordSequence: state.sequence })),
  )
  await snapshots.close()
  await journal.close()
  await writeFile(places.stateHash, stateHashOf(state))
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** The folder `name` inside `shared` with data of this size; it is written when it is not there yet. */
export const prepare = async (shared: string, name: string, size: DataSize): Promise<string> => {
  const folder = join(shared, name)
  if (await exists(folder)) return folder
  const aside = `${folder}.partial`
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { recursive: true })
  await write(aside, size)
  await rename(aside, folder)
  return folder
}
