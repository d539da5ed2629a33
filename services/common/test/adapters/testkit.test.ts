import { describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { createFaultPlan, type FaultKind } from '../../src/testkit/faults/plan.ts'
import { withBusFaults, withJournalFaults } from '../../src/testkit/faults/ports.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'
import { createSeededIds, createSeededRandom } from '../../src/testkit/seeded-random.ts'

const always = (kind: FaultKind) => createFaultPlan({ random: createSeededRandom(1), kinds: [kind], percent: 100 })
const record = (sequence: bigint) => ({ sequence, hash: new Uint8Array(32), body: new Uint8Array(8) })

describe('seeded chance', () => {
  test('the same seed gives the same draws, another seed others', () => {
    const draw = (seed: number) => {
      const random = createSeededRandom(seed)
      return [
        random.uint32(),
        random.below(1_000),
        random.below(2 ** 50),
        ...random.bytes(8),
        createSeededIds(random).uuid(),
      ]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('its first words are those of xoshiro128** seeded by splitmix32, for ever', () => {
    const random = createSeededRandom(20_260_801)
    expect([random.uint32(), random.uint32(), random.uint32()]).toMatchInlineSnapshot(`
     [
       3702219,
       1258346969,
       3492823022,
     ]
    `)
  })
})

describe('the manual clock', () => {
  test('wakes sleepers in the order of their moments, each at its own', async () => {
    const clock = createManualClock(1_000)
    const woken: string[] = []
    const sleep = async (name: string, delayMs: number): Promise<void> => {
      await clock.sleep(delayMs)
      woken.push(`${name} ${clock.nowMs()}`)
    }
    const asleep = [sleep('c', 30), sleep('a', 10), sleep('b', 10), sleep('z', 99)]
    await clock.advance(5)
    expect(woken).toEqual([])
    await clock.advance(50)
    expect(woken).toEqual(['a 1010', 'b 1010', 'c 1030'])
    expect(clock.sleepers()).toBe(1)
    await clock.advance(44)
    await Promise.all(asleep)
  })

  test('a jump moves the wall clock alone', async () => {
    const clock = createManualClock(1_000)
    clock.jump(-500)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([500, 0])
    await clock.advance(10)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([510, 10])
  })
})

describe('fault wrappers', () => {
  test('fails: nothing is done', async () => {
    const journal = openSqliteJournal({ path: ':memory:' })
    await expect(withJournalFaults(journal, always('fails')).append(1, record(1n))).rejects.toMatchObject({
      kind: 'unavailable',
    })
    expect(await journal.head(1)).toBeNull()
    await journal.close()
  })

  test('done-but-timed-out: it is done, the caller is told otherwise', async () => {
    const journal = openSqliteJournal({ path: ':memory:' })
    const kind = await withJournalFaults(journal, always('done-but-timed-out'))
      .append(1, record(1n))
      .catch((error: { kind: string }) => error.kind)
    expect(['timeout', 'unknown']).toContain(kind)
    expect((await journal.head(1))?.sequence).toBe(1n)
    await journal.close()
  })

  test('twice: the second answer counts', async () => {
    const journal = openSqliteJournal({ path: ':memory:' })
    expect(await withJournalFaults(journal, always('twice')).append(1, record(1n))).toBe('taken')
    const bus = createEmbeddedBus({ clock: createSystemClock() })
    await withBusFaults(bus, always('twice')).send(1, { type: 'command', body: new Uint8Array(8) })
    expect(bus.stats().waiting).toBe(2)
    await bus.close()
    await journal.close()
  })

  test('a plan strikes the same calls for the same seed, and counts them', () => {
    const strikes = () => {
      const plan = createFaultPlan({ random: createSeededRandom(5), kinds: ['fails', 'slow'] })
      return { faults: Array.from({ length: 50 }, () => plan.next(['fails', 'slow', 'twice'])), struck: plan.struck }
    }
    expect(strikes()).toEqual(strikes())
    const { faults, struck } = strikes()
    expect(faults.filter((fault) => fault === 'fails')).toHaveLength(struck.get('fails')!)
    expect(faults).toContain(null)
  })
})
