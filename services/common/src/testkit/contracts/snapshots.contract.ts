import { createHash } from 'node:crypto'
import { expect } from '@jest/globals'
import { partitionNumber } from '../../kernel/partition.ts'
import type { Snapshots } from '../../ports/snapshots.ts'
import { withSnapshotFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, type Opened, type Subject } from './scenario.ts'

/** Snapshots for the suite, with a hand on the stored bytes. */
export interface SnapshotsHarness extends Opened<Snapshots> {
  reopen(): Promise<Snapshots>
  /** Changes a stored byte, as a bad disk does. */
  flipByte(partition: number, sequence: bigint): Promise<void>
  /** Leaves what a crash in the middle of a write leaves, half of these bytes written. */
  leaveHalfWritten(partition: number, sequence: bigint, bytes: Uint8Array): Promise<void>
  /** How many leftovers of interrupted writes are there. */
  leftovers(): Promise<number>
}

const HERE = partitionNumber('trading', 2, 1)
const THERE = partitionNumber('ledger', 2)
const bytesOf = (length: number, salt: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + salt) & 0xff)
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The Snapshots contract. */
export const snapshotsContract = (subject: Subject<SnapshotsHarness>): void =>
  describeContract(subject, withSnapshotFaults, (define) => {
    define(
      'S1 an interrupted write is not there, and older snapshots are untouched',
      async ({ port, call, harness, reopen }) => {
        const older = bytesOf(5_000, 1)
        await call(() => port.write(HERE, 10n, older))
        await harness.leaveHalfWritten(HERE, 20n, bytesOf(5_000, 2))
        const reopened = await reopen()
        expect((await call(() => reopened.list(HERE))).map(({ sequence }) => sequence)).toEqual([10n])
        expect(await call(() => reopened.read(HERE, 20n))).toBeNull()
        expect(await call(() => reopened.read(HERE, 10n))).toEqual(older)
      },
    )

    define('S2 list gives the newest first, with size and SHA-256', async ({ port, call }) => {
      expect(await call(() => port.list(HERE))).toEqual([])
      for (const sequence of [9n, 100n, 2n ** 40n, 30n]) {
        await call(() => port.write(HERE, sequence, bytesOf(1_000, Number(sequence % 97n))))
      }
      const found = await call(() => port.list(HERE))
      expect(found.map(({ sequence }) => sequence)).toEqual([2n ** 40n, 100n, 30n, 9n])
      expect(found[3]).toMatchObject({ bytes: 1_000, sha256: sha256(bytesOf(1_000, 9)) })
      expect(found[3]!.atMs).toBeGreaterThan(0)
    })

    define(
      'S3 read gives the bytes as written, over a restart too, and null for none',
      async ({ port, call, reopen }) => {
        const bytes = bytesOf(300_000, 3)
        const info = await call(() => port.write(HERE, 1n, bytes))
        expect(info).toMatchObject({ sequence: 1n, bytes: 300_000, sha256: sha256(bytes) })
        await call(() => port.write(HERE, 2n, new Uint8Array(0)))
        const reopened = await reopen()
        expect(Buffer.compare((await call(() => reopened.read(HERE, 1n)))!, bytes)).toBe(0)
        expect(await call(() => reopened.read(HERE, 2n))).toHaveLength(0)
        expect(await call(() => reopened.read(HERE, 3n))).toBeNull()
      },
    )

    define('S3 bytes that changed in the store are refused corrupt, and others are still read', async (world) => {
      const { port, call, harness } = world
      await call(() => port.write(HERE, 1n, bytesOf(1_000, 1)))
      await call(() => port.write(HERE, 2n, bytesOf(1_000, 2)))
      await harness.flipByte(HERE, 2n)
      await expectFailure('corrupt', () => call(() => port.read(HERE, 2n)))
      expect(await call(() => port.read(HERE, 1n))).toEqual(bytesOf(1_000, 1))
    })

    define('S4 remove takes one away; one that is not there is no error', async ({ port, call }) => {
      await call(() => port.write(HERE, 1n, bytesOf(10, 1)))
      await call(() => port.write(HERE, 2n, bytesOf(10, 2)))
      await call(() => port.remove(HERE, 1n))
      await call(() => port.remove(HERE, 1n))
      await call(() => port.remove(THERE, 1n))
      expect((await call(() => port.list(HERE))).map(({ sequence }) => sequence)).toEqual([2n])
    })

    define('S5 writing the same sequence again replaces it', async ({ port, call }) => {
      await call(() => port.write(HERE, 1n, bytesOf(5_000, 1)))
      await call(() => port.write(HERE, 1n, bytesOf(100, 2)))
      expect(await call(() => port.read(HERE, 1n))).toEqual(bytesOf(100, 2))
      expect(await call(() => port.list(HERE))).toHaveLength(1)
    })

    define('S6 partitions do not see one another', async ({ port, call }) => {
      await call(() => port.write(HERE, 1n, bytesOf(10, 1)))
      expect(await call(() => port.list(THERE))).toEqual([])
      expect(await call(() => port.read(THERE, 1n))).toBeNull()
    })

    define('S7 leftovers of interrupted writes are cleared at open', async ({ harness, reopen }) => {
      await harness.leaveHalfWritten(HERE, 5n, bytesOf(1_000, 1))
      expect(await harness.leftovers()).toBe(1)
      await reopen()
      expect(await harness.leftovers()).toBe(0)
    })
  })
