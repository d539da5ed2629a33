import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { StoredRecord } from '@bourse/common/ports/journal.ts'
import type { Door } from '../../src/ports/ground.ts'
import { openTestGround } from './test-ground.ts'

const HERE = partitionNumber('ledger', 0)
const ignore = (): undefined => undefined

const record = (sequence: bigint, text: string): StoredRecord => {
  const body = new TextEncoder().encode(text)
  const hash = new Uint8Array(32)
  hash.set(body.subarray(0, 32))
  return { sequence, hash, body }
}
const textOf = (stored: StoredRecord | null): string | null =>
  stored === null ? null : new TextDecoder().decode(stored.body)

const readAll = async (door: Door): Promise<string[]> => {
  const found: string[] = []
  for await (const stored of door.journal.readFrom(HERE, 1n)) found.push(textOf(stored)!)
  return found
}

describe('the simulated journal', () => {
  test('of two writers at one sequence exactly one wins, whatever happens to their appends', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const percents = { 'append-refused': 15, 'append-unheard': 25, 'append-slow': 10, 'journal-unreadable': 10 }
      const { ground, settle } = openTestGround({ seed, percents })
      const won = new Map<bigint, string[]>()
      /** Appends at each sequence until the place is known to be taken, by this writer or the other. */
      const write = async (door: Door): Promise<void> => {
        for (let sequence = 1n; sequence <= 12n; sequence++) {
          const text = `${door.name} ${sequence}`
          for (;;) {
            await door.journal.append(HERE, record(sequence, text)).catch(ignore)
            const there = await door.journal.read(HERE, sequence).catch(ignore)
            if (there === undefined || there === null) continue
            if (textOf(there) === text) won.set(sequence, [...(won.get(sequence) ?? []), door.name])
            break
          }
        }
      }
      await settle(Promise.all([write(ground.open('a')), write(ground.open('b'))]))
      expect([...won.values()].map((winners) => winners.length)).toEqual(Array.from({ length: 12 }, () => 1))
      const stored = [...won].sort(([a], [b]) => Number(a - b)).map(([sequence, [winner]]) => `${winner} ${sequence}`)
      const records = []
      for await (const { body } of ground.disks.journal.readFrom(HERE, 1n)) records.push(new TextDecoder().decode(body))
      expect(records).toEqual(stored)
    }
  })

  test('a killed writer hears nothing; its append that was on its way lands all the same', async () => {
    const { ground, pass } = openTestGround()
    const writer = ground.open('writer')
    let heard = 0
    const hear = (): void => void (heard += 1)
    writer.journal.append(HERE, record(1n, 'late')).then(hear, hear)
    writer.kill()
    await pass(10_000)
    expect(heard).toBe(0)
    expect(textOf(await ground.disks.journal.head(HERE))).toBe('late')
  })

  test('a power cut leaves an append that was on its way whole or not there', async () => {
    const ends = new Set<string | null>()
    for (let seed = 1; seed <= 20; seed++) {
      const { ground, pass, faults } = openTestGround({ seed, percents: { 'append-torn': 0 } })
      const writer = ground.open('writer')
      void writer.journal.append(HERE, record(1n, 'torn'))
      writer.kill()
      ground.tearAppends()
      const atOnce = textOf(await ground.disks.journal.head(HERE))
      await pass(10_000)
      expect(textOf(await ground.disks.journal.head(HERE))).toBe(atOnce)
      expect(faults.counts()).toEqual(atOnce === null ? { 'append-torn': 1 } : {})
      ends.add(atOnce)
    }
    expect(ends).toEqual(new Set([null, 'torn']))
  })

  test('an append that was answered survives every power cut', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { ground, settle } = openTestGround({ seed, percents: { 'append-torn': 0 } })
      expect(await settle(ground.open('writer').journal.append(HERE, record(1n, 'kept')))).toBe('appended')
      ground.tearAppends()
      expect(textOf(await ground.disks.journal.head(HERE))).toBe('kept')
    }
  })

  test('a full disk refuses appends and stores nothing, until there is room again', async () => {
    const { ground, settle } = openTestGround()
    const { journal } = ground.open('writer')
    ground.diskFull(true)
    const refused = journal.append(HERE, record(1n, 'a')).catch((error: Error) => error)
    expect(await settle(refused)).toMatchObject({ kind: 'full' })
    expect(await settle(journal.head(HERE))).toBeNull()
    ground.diskFull(false)
    expect(await settle(journal.append(HERE, record(1n, 'a')))).toBe('appended')
  })

  test('a flipped record reads back otherwise, and as before when it is put back', async () => {
    const { ground, settle } = openTestGround()
    const { journal } = ground.open('writer')
    await settle(journal.append(HERE, record(1n, 'record')))
    expect(ground.flipRecord(HERE, 2n)).toBeNull()
    const putBack = ground.flipRecord(HERE, 1n)!
    expect(textOf(await settle(journal.read(HERE, 1n)))).not.toBe('record')
    putBack()
    expect(textOf(await settle(journal.read(HERE, 1n)))).toBe('record')
  })

  test('neither the writer’s buffer nor a reader’s hand reaches the disk', async () => {
    const { ground, settle } = openTestGround()
    const { journal } = ground.open('writer')
    const written = record(1n, 'record')
    const appended = journal.append(HERE, written)
    written.body.fill(0)
    await settle(appended)
    const found = (await settle(journal.read(HERE, 1n)))!
    expect(textOf(found)).toBe('record')
    found.body.fill(0)
    expect(textOf(await settle(journal.read(HERE, 1n)))).toBe('record')
  })

  test('cursors saved last may be lost with their process: the ones before are there', async () => {
    const cursor = (confirmed: bigint) => ({ receiver: HERE, confirmed, recordSequence: confirmed })
    for (const [percent, wanted] of [
      [0, 2n],
      [100, 1n],
    ] as const) {
      const { ground, settle } = openTestGround({ percents: { 'cursors-lost': percent } })
      const door = ground.open('saver')
      await settle(door.journal.saveCursors(HERE, [cursor(1n)]))
      await settle(door.journal.saveCursors(HERE, [cursor(2n)]))
      door.kill()
      expect(await settle(ground.open('next').journal.loadCursors(HERE))).toEqual([cursor(wanted)])
    }
  })

  test('a stream of records may break, and says so', async () => {
    const { ground, settle } = openTestGround({ percents: { 'journal-unreadable': 100 } })
    const broken = readAll(ground.open('reader')).catch((error: Error) => error)
    expect(await settle(broken)).toMatchObject({ kind: 'unavailable' })
  })
})

describe('simulated snapshots', () => {
  const bytes = (): Uint8Array => Uint8Array.from({ length: 1_000 }, (_, index) => index & 0xff)

  test('a damaged one is refused corrupt, a lost one is not there, older ones are untouched', async () => {
    const { ground, settle } = openTestGround()
    const { snapshots } = ground.open('writer')
    expect(ground.damageSnapshot(HERE, 'flip')).toBe(false)
    for (const sequence of [1n, 2n, 3n]) await settle(snapshots.write(HERE, sequence, bytes()))
    expect((await settle(snapshots.list(HERE))).map(({ sequence }) => sequence)).toEqual([3n, 2n, 1n])
    expect(ground.damageSnapshot(HERE, 'flip')).toBe(true)
    const refused = snapshots.read(HERE, 3n).catch((error: Error) => error)
    expect(await settle(refused)).toMatchObject({ kind: 'corrupt' })
    expect(await settle(snapshots.read(HERE, 2n))).toEqual(bytes())
    expect(ground.damageSnapshot(HERE, 'lose')).toBe(true)
    expect((await settle(snapshots.list(HERE))).map(({ sequence }) => sequence)).toEqual([2n, 1n])
    await settle(snapshots.remove(HERE, 1n))
    expect(await settle(snapshots.read(HERE, 1n))).toBeNull()
  })

  test('a write that is refused stores nothing, one that goes unheard is whole or not there', async () => {
    const stored = async (kind: 'snapshot-refused' | 'snapshot-unheard', seed: number): Promise<number> => {
      const { ground, settle } = openTestGround({ seed, percents: { [kind]: 100 } })
      const written = ground.open('writer').snapshots.write(HERE, 1n, bytes())
      const failure = kind === 'snapshot-refused' ? 'unavailable' : 'timeout'
      expect(await settle(written.catch((error: Error) => error))).toMatchObject({ kind: failure })
      return (await ground.disks.snapshots.list(HERE)).length
    }
    const counts = { refused: new Set<number>(), unheard: new Set<number>() }
    for (let seed = 1; seed <= 12; seed++) {
      counts.refused.add(await stored('snapshot-refused', seed))
      counts.unheard.add(await stored('snapshot-unheard', seed))
    }
    expect(counts).toEqual({ refused: new Set([0]), unheard: new Set([0, 1]) })
  })
})
