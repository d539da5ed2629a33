import { machineNumbers } from '@bourse/common/kernel/partition.ts'
import { encodeCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { TRADING_SCHEMA_VERSION } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { atMost } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { ID_WINDOW_MS, SEGMENT_COMMANDS, START_MS, writeId } from '../../market.ts'
import { bytesEach, checkNotGrown, openMachine, reservedBytes, type OpenMachine } from './used.ts'

const MILLION = 1_000_000
const HALF = MILLION / 2
const TRADES_MAX = 1_024
/** Two windows of the machine's time: the second fills while the first is forgotten. */
const SOAK_MS = 2n * ID_WINDOW_MS
const ID_SALT = 0x1d
const HASH_SALT = 0x4a

const machineFor = (ids: number): OpenMachine =>
  openMachine(loadTradingModule(), machineNumbers.trading, TRADING_SCHEMA_VERSION, [TRADES_MAX, ids])

/** The cheapest command that has an id: nothing is measured here but the table of ids. */
const commandOf = (index: number): Uint8Array => {
  const bytes = encodeCommand({ kind: KIND_TIME }, new Uint8Array(0))
  const view = new DataView(bytes.buffer)
  writeId(view, 8, index, ID_SALT)
  writeId(view, 24, index, HASH_SALT)
  return bytes
}

/** Bytes of one id in a snapshot: its entry with the kept outcome. */
const ENTRY_BYTES = 96

/** Ids that the machine remembers: what a snapshot has more than one of the same machine when it was empty. */
const idsIn = (machine: OpenMachine, emptyBytes: number): number =>
  (machine.machine.snapshot().length - emptyBytes) / ENTRY_BYTES

/**
 * Ids at the full rate (the whole table within one window) for twice the window. Throws when one is refused for want of room,
 * when more are remembered than the window holds, or the memory grows.
 */
const soak = (machine: OpenMachine): void => {
  const reserved = reservedBytes(machine)
  const emptyBytes = machine.machine.snapshot().length
  const batches = Math.floor(MILLION / SEGMENT_COMMANDS)
  const stepMs = ID_WINDOW_MS / BigInt(batches) + 1n
  let index = 0
  let batch = 0
  for (let nowMs = START_MS; nowMs < START_MS + SOAK_MS; nowMs += stepMs) {
    const commands = Array.from({ length: SEGMENT_COMMANDS }, () => commandOf(index++))
    for (const outcome of machine.machine.apply(commands, nowMs, 1).outcomes) {
      const { code } = decodeOutcomeHeader(outcome)
      if (code !== 0) throw new Error(`an id was refused with code ${code} after ${index}`)
    }
    batch += 1
    if (batch % 512 !== 0) continue
    const remembered = idsIn(machine, emptyBytes)
    const inWindow = SEGMENT_COMMANDS * (Number(ID_WINDOW_MS / stepMs) + 1)
    if (remembered > Math.min(inWindow, MILLION)) throw new Error(`${remembered} ids are remembered`)
  }
  checkNotGrown(machine, reserved)
  if (index < 1.5 * MILLION) throw new Error(`the soak had ${index} ids only`)
}

const measure = async (): Promise<Record<string, Sample>> => {
  const machine = machineFor(MILLION)
  soak(machine)
  return { 'memory/id': { value: bytesEach(machine, MILLION, machineFor(HALF), HALF), peers: {} } }
}

/** What remembering ids takes. */
export const memoryIds: Group = {
  name: 'memory/id',
  rows: [
    {
      name: 'memory/id',
      what:
        'Memory of one more id with its request hash and first outcome in the trading machine (the largest there is); ids and ' +
        'memory stay bounded through twenty minutes of its time at a million ids per window',
      unit: 'bytes',
      kind: 'core',
      goal: atMost(110, 'bytes'),
    },
  ],
  measure,
}
