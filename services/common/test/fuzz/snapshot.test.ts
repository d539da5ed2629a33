import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { emptyState, type PartitionState } from '@bourse/common/kernel/partition-state.ts'
import { compressions, encodeSnapshot, imageOf, restoreSnapshot } from '@bourse/common/kernel/snapshot-codec.ts'
import { FRAME_BYTES, SnapshotError, stateHashOf } from '@bourse/common/kernel/snapshot-codec.ts'
import { fuzzed, mutationsOf, readLater } from '@bourse/common/testkit/fuzz.ts'

const PARTITION = 0x0100_0002
const SEQUENCE = 41n

/** A machine whose whole state is some bytes. */
const machineOf = (initial: Uint8Array, bytesMax = 64): Machine => {
  let state = initial
  return {
    schemaVersion: 3,
    behaviourVersion: 1,
    apply: () => ({ outcomes: [], effects: [], settledIds: [] }),
    continuation: () => null,
    nextDeadline: () => null,
    query: () => ({ bytes: new Uint8Array(0), pending: false }),
    snapshot: () => state.slice(),
    restore: (bytes) => {
      if (bytes.length > bytesMax) throw new RangeError(`a state of more than ${bytesMax} bytes`)
      state = bytes.slice()
    },
    stateHash: () => createHash('sha256').update(state).digest('hex').slice(0, 32),
  }
}

const u32 = fc.nat({ max: 0xffff_ffff })
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const states: fc.Arbitrary<PartitionState> = fc
  .record({
    machine: fc.uint8Array({ maxLength: 64 }),
    marks: fc.array(fc.tuple(u32, u64), { maxLength: 4 }),
    numbers: fc.array(fc.tuple(u32, u64), { maxLength: 4 }),
    calls: fc.array(fc.tuple(u64, fc.uint8Array({ maxLength: 40 })), { maxLength: 3 }),
    now: fc.bigInt({ min: 0n, max: 1n << 50n }),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ machine, marks, numbers, calls, now, hash }) => {
    const state = emptyState(PARTITION, machineOf(machine))
    for (const [sender, number] of marks) state.marks.set(sender, number)
    for (const [receiver, number] of numbers) state.numbers.set(receiver, number)
    for (const [number, call] of calls) state.outsideCalls.set(number, call)
    Object.assign(state, { sequence: SEQUENCE, now, hash })
    return state
  })

const place = { partition: PARTITION, sequence: SEQUENCE }

describe('a stored snapshot', () => {
  test('restores the state it was taken of, with every compression', async () => {
    await fc.assert(
      fc.asyncProperty(states, fc.constantFrom(...compressions), async (state, compression) => {
        const bytes = await encodeSnapshot(imageOf(state), compression)
        const restored = await restoreSnapshot(bytes, place, machineOf(new Uint8Array(0)))
        expect(stateHashOf(restored)).toBe(stateHashOf(state))
        expect({ ...restored, machine: restored.machine.snapshot() }).toEqual({
          ...state,
          machine: state.machine.snapshot(),
        })
      }),
      fuzzed(0.5),
    )
  })

  test('with any change is refused SnapshotError or restores the same state', async () => {
    await fc.assert(
      fc.asyncProperty(
        states,
        fc.constantFrom(...compressions),
        mutationsOf(fc.constant(new Uint8Array(136))),
        async (state, compression, noise) => {
          const bytes = (await encodeSnapshot(imageOf(state), compression)).slice(0)
          noise.forEach((byte, index) => {
            if (index < bytes.length) bytes[index]! ^= byte
          })
          const changed =
            noise.length < 136 ? bytes.subarray(0, bytes.length - 1 - (noise.length % bytes.length)) : bytes
          const restore = () => restoreSnapshot(changed, place, machineOf(new Uint8Array(0)))
          const read = await readLater(restore, [SnapshotError])
          if ('value' in read) expect(stateHashOf(read.value)).toBe(stateHashOf(state))
        },
      ),
      fuzzed(),
    )
  })

  test('whose body was forged with a checksum that fits is refused SnapshotError, however large its counts', async () => {
    await fc.assert(
      fc.asyncProperty(states, mutationsOf(fc.constant(new Uint8Array(64))), fc.nat(), async (state, noise, at) => {
        const image = imageOf(state)
        const [kernel, machine] = [image.kernel.slice(), image.machine.slice()]
        noise.forEach((byte, index) => {
          const place = (at + index) % (kernel.length + machine.length)
          if (place < kernel.length) kernel[place]! ^= byte
          else machine[place - kernel.length]! ^= byte
        })
        const forged = await encodeSnapshot({ ...image, kernel, machine }, 'none')
        const restore = () => restoreSnapshot(forged, place, machineOf(new Uint8Array(0)))
        const read = await readLater(restore, [SnapshotError])
        if ('value' in read) expect(stateHashOf(read.value)).toBe(stateHashOf(state))
      }),
      fuzzed(),
    )
  })

  test('of a state larger than a frame is put together from its frames, whichever way the machine takes them', async () => {
    const large = new Uint8Array(2 * FRAME_BYTES + 5).map((_, index) => index ^ (index >> 8))
    for (const compression of compressions) {
      for (const inPieces of [false, true]) {
        const sizes: number[] = []
        const machine = machineOf(new Uint8Array(0), large.length)
        const taking = inPieces
          ? {
              ...machine,
              restorePieces: (pieces: readonly Uint8Array[]) => {
                sizes.push(...pieces.map(({ length }) => length))
                machine.restore(Buffer.concat(pieces))
              },
            }
          : machine
        const state = Object.assign(emptyState(PARTITION, machineOf(large)), { sequence: SEQUENCE })
        const restored = await restoreSnapshot(await encodeSnapshot(imageOf(state), compression), place, taking)
        expect(stateHashOf(restored)).toBe(stateHashOf(state))
        expect(sizes).toEqual(inPieces ? [FRAME_BYTES, FRAME_BYTES, 5] : [])
      }
    }
  })

  test('of arbitrary bytes is refused SnapshotError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const restore = () => restoreSnapshot(bytes, place, machineOf(new Uint8Array(0)))
        expect(await readLater(restore, [SnapshotError])).toHaveProperty('error')
      }),
      fuzzed(),
    )
  })
})
