import { createWasmMachine, type WasmMachine } from '@bourse/risk-rules/host/machine.ts'
import type { MachineExports } from '@bourse/risk-rules/host/instance.ts'

const PAGE_BYTES = 4_096
const PAGE_WORDS = PAGE_BYTES / 8

/** A WASM machine with its memory in reach. */
export type OpenMachine = WasmMachine<MachineExports & { readonly init: (...capacities: number[]) => void }>

/** A machine made for these capacities, in the order its module takes them. */
export const openMachine = (
  wasm: WebAssembly.Module,
  machine: number,
  schemaVersion: number,
  capacities: readonly number[],
): OpenMachine =>
  createWasmMachine({
    wasm,
    machine,
    schemaVersion,
    behaviourVersion: 1,
    capacities,
    init: (exports) => exports.init(...capacities),
  })

/** All memory that a machine has, and ever will: it grows at its start only. */
export const reservedBytes = (machine: OpenMachine): number => machine.exports().memory.buffer.byteLength

/** Memory that something was written to: pages of the system that hold more than zeros. */
const writtenBytes = (machine: OpenMachine): number => {
  const words = new BigUint64Array(machine.exports().memory.buffer)
  let pages = 0
  for (let page = 0; page < words.length; page += PAGE_WORDS) {
    let isWritten = false
    for (let word = page; word < page + PAGE_WORDS && !isWritten; word++) isWritten = words[word] !== 0n
    if (isWritten) pages += 1
  }
  return pages * PAGE_BYTES
}

/**
 * Bytes that one more of something takes: the difference between machines made for `large` and for `small` of it, which have all
 * else in common. @throws when the full machine's memory is not that: less of it written than the difference explains, or grown
 */
export const bytesEach = (full: OpenMachine, large: number, smaller: OpenMachine, small: number): number => {
  const reserved = reservedBytes(full)
  const each = (reserved - reservedBytes(smaller)) / (large - small)
  const written = writtenBytes(full)
  if (written < 0.85 * large * each || written > reserved)
    throw new Error(`${written} bytes are written of ${reserved}, which does not explain ${each} bytes each`)
  return each
}

/** Throws when a machine's memory grew after its start. */
export const checkNotGrown = (machine: OpenMachine, bytes: number): void => {
  if (reservedBytes(machine) !== bytes)
    throw new Error(`the memory grew from ${bytes} to ${reservedBytes(machine)} bytes`)
}
