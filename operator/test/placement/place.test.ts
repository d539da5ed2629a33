import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { MOVES_PER_SHARD_MAX, nextMoves, type Move } from '../../src/placement/moves.ts'
import { compareShards, place, type Placement } from '../../src/placement/place.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `pair-x-${index}`)

/** A question with up to `most` partitions; owners may be shards that are not usable. */
const questions = (most: number, shards: number) =>
  fc
    .record({
      count: fc.integer({ min: 1, max: most }),
      usable: fc.uniqueArray(fc.constantFrom(...names(shards)), { maxLength: shards }),
      homes: fc.array(fc.option(fc.constantFrom(...names(shards + 2))), { minLength: most, maxLength: most }),
    })
    .map(({ count, usable, homes }) => {
      const partitions = Array.from({ length: count }, (_, index) => index)
      const owners = new Map<number, string>()
      for (const partition of partitions) {
        const home = homes[partition] ?? null
        if (home !== null) owners.set(partition, home)
      }
      return { partitions, owners, usable }
    })

const countsOf = (placement: Placement, usable: readonly string[]): number[] =>
  usable.map((name) => [...placement.values()].filter((at) => at === name).length)

const movedIn = (
  owners: ReadonlyMap<number, string>,
  at: (partition: number) => string,
  partitions: readonly number[],
) => partitions.filter((partition) => owners.has(partition) && owners.get(partition) !== at(partition)).length

/** The fewest moves of all balanced placements, found by trying every placement. */
const fewestMoves = (partitions: readonly number[], owners: ReadonlyMap<number, string>, usable: readonly string[]) => {
  let best = Number.POSITIVE_INFINITY
  for (let code = 0; code < usable.length ** partitions.length; code++) {
    const at = partitions.map((_, index) => usable[Math.floor(code / usable.length ** index) % usable.length]!)
    const counts = usable.map((name) => at.filter((one) => one === name).length)
    if (Math.max(...counts) - Math.min(...counts) > 1) continue
    best = Math.min(
      best,
      movedIn(owners, (partition) => at[partition]!, partitions),
    )
  }
  return best
}

describe('Placing partitions on shards', () => {
  test('every partition is at a usable shard, and no shard has two more than another', () => {
    fc.assert(
      fc.property(questions(40, 9), (question) => {
        fc.pre(question.usable.length > 0)
        const placement = place(question)
        expect([...placement.keys()]).toEqual(question.partitions)
        for (const at of placement.values()) expect(question.usable).toContain(at)
        const counts = countsOf(placement, question.usable)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('no balanced placement moves fewer partitions', () => {
    fc.assert(
      fc.property(questions(6, 3), (question) => {
        const { partitions, owners, usable } = question
        fc.pre(usable.length > 0)
        const placement = place(question)
        expect(movedIn(owners, (partition) => placement.get(partition)!, partitions)).toBe(
          fewestMoves(partitions, owners, usable),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('the order of the question does not matter, and the answer answers itself', () => {
    fc.assert(
      fc.property(questions(30, 12), (question) => {
        const placement = place(question)
        const turned = {
          partitions: question.partitions.toReversed(),
          owners: new Map([...question.owners].toReversed()),
          usable: question.usable.toReversed(),
        }
        expect(place(turned)).toEqual(placement)
        const owners = new Map([...placement].flatMap(([key, at]) => (at === null ? [] : [[key, at] as const])))
        expect(place({ ...question, owners })).toEqual(placement)
      }),
    )
  })

  test('without a usable shard everything stays where it is', () => {
    const owners = new Map([[0, 'a-0']])
    expect(place({ partitions: [0, 1], owners, usable: [] })).toEqual(
      new Map([
        [0, 'a-0'],
        [1, null],
      ]),
    )
  })

  test('shards are ordered by their number, not by its digits', () => {
    expect(['a-10', 'a-9', 'b-0', 'a-1'].sort(compareShards)).toEqual(['a-1', 'a-9', 'a-10', 'b-0'])
  })
})

describe('The order of moves', () => {
  test('no shard gives or takes more than its share at a time, and in the end everything is where it belongs', () => {
    fc.assert(
      fc.property(questions(40, 6), (question) => {
        fc.pre(question.usable.length > 0)
        const placement = place(question)
        const owners = new Map(question.owners)
        let underWay: readonly Move[] = []
        for (let round = 0; round < 200; round++) {
          const begun = nextMoves({ owners, placement, underWay })
          if (begun.length === 0 && underWay.length === 0) break
          underWay = [...underWay, ...begun]
          for (const name of names(8)) {
            const busy = underWay.filter(({ from, to }) => from === name || to === name)
            expect(busy.length).toBeLessThanOrEqual(MOVES_PER_SHARD_MAX)
          }
          const [first, ...rest] = underWay
          if (first !== undefined) owners.set(first.partition, first.to)
          underWay = rest
        }
        for (const [partition, at] of placement) if (owners.has(partition)) expect(owners.get(partition)).toBe(at)
      }),
    )
  })
})
