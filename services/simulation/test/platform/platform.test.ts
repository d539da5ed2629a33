import { describe, expect, test } from '@jest/globals'
import { createSeededIds, createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { AnyAnswer, Request } from '../../src/history/history.ts'
import { drawShape } from '../../src/platform/shape.ts'
import { ask } from '../../src/workload/ask.ts'
import { startStage, type Stage } from './stage.ts'

const ONE = 100_000_000n
const BANK_KEYS = ['11111111-1111-4111-8111-111111111111', '11111111-1111-4111-8111-111111111112'] as const

/** Asks until the answer is clear, as clients do. */
const insist = async ({ world, platform }: Stage, request: Request, key: string | null): Promise<AnyAnswer> => {
  const ids = createSeededIds(world.chance('ids of the test'))
  const asset = platform.pairs()[0]!.symbol
  for (;;) {
    platform.quote(asset, 10_000n * ONE, 10_001n * ONE)
    const answer = await ask(platform.edgeOf(0), ids, request, key)
    if (answer.ok || answer.refusal.code !== 'UNAVAILABLE') return answer
    await new Promise<void>((resolve) => void world.schedule(300, 'the client tries again', resolve))
  }
}

/** A customer deposits and buys; a trader opens an account. Gives what they were told. */
const dealings = async (stage: Stage): Promise<readonly AnyAnswer[]> => {
  const bank = stage.platform.banks()[0]!.name
  const asset = stage.platform.pairs()[0]!.symbol
  const money = { bank, customer: 'one', currency: 'AZN' }
  const deposit = { kind: 'bank-move', type: 'DEPOSIT', amount: 500n * ONE, reference: 'cash', ...money } as const
  const buy = { kind: 'bank-trade', side: 'BUY', quoteId: null, amount: 100n * ONE, ...money } as const
  return [
    await insist(stage, { kind: 'fund', target: 'house', asset, amount: 1_000n * ONE }, 'fund'),
    await insist(stage, { kind: 'open-account', trader: 1, currency: 'USDC', grant: 100n * ONE }, 'account'),
    await insist(stage, deposit, BANK_KEYS[0]),
    await insist(stage, buy, BANK_KEYS[1]),
  ]
}

const playClean = async (seed: number): Promise<string> => {
  const stage = await startStage(seed)
  const answers = await stage.until(dealings(stage))
  expect(answers.map((answer) => (answer.ok ? 'OK' : answer.refusal.code))).toEqual(['OK', 'OK', 'OK', 'OK'])
  expect(await stage.rest()).toEqual([])
  expect(stage.platform.findings()).toEqual([])
  const [order] = stage.platform.orders()
  expect(order).toMatchObject({ status: 'FILLED', side: 'BUY' })
  const books = stage.platform.bankBooks(stage.platform.banks()[0]!.name)
  expect(books.transactions()).toMatchObject([{ state: 'AUTHORIZED' }])
  expect(books.events().map((event) => event.sequence)).toEqual([1, 2])
  stage.platform.close()
  return stage.world.trace.hash()
}

describe('a simulated platform', () => {
  test('serves, comes to rest and leaves the outside with the same books, in one process and in many', async () => {
    for (const seed of [1, 2, 3, 4]) await playClean(seed)
  })

  test('has the same trace for the same seed, and another for another', async () => {
    const traces = [await playClean(7), await playClean(7), await playClean(8)]
    expect(traces[1]).toBe(traces[0])
    expect(traces[2]).not.toBe(traces[0])
  })

  test('comes to rest after its processes died, stood still and moved', async () => {
    const struck = new Map<string, number>()
    for (let seed = 20; seed < 45; seed++) {
      const stage = await startStage(seed, ['crash', 'power-cut', 'zombie', 'move', 'slow-consumer', 'record-flipped'])
      await stage.until(dealings(stage))
      await stage.world.run(() => false, { durationMsMax: 60_000, eventsMax: 100_000 })
      expect(await stage.rest()).toEqual([])
      expect(stage.platform.findings()).toEqual([])
      for (const [kind, count] of Object.entries(stage.faults.counts()))
        struck.set(kind, (struck.get(kind) ?? 0) + count)
      stage.platform.close()
    }
    expect([...struck.keys()].sort()).toEqual(
      ['crash', 'move', 'power-cut', 'record-flipped', 'slow-consumer', 'zombie'].sort(),
    )
  })

  test('has a spec in force once it rests, also one that was changed twice in a row', async () => {
    const stage = await startStage(5)
    const [spec] = stage.platform.pairs()
    stage.platform.changePair({ ...spec!, state: 'Halted' })
    stage.platform.changePair({ ...spec!, state: 'ReduceOnly' })
    expect(await stage.rest()).toEqual([])
    const state = await stage.until(stage.platform.edgeOf(0).trading.marketState(spec!.symbol))
    expect(state).toMatchObject({ ok: true, value: { state: 'ReduceOnly' } })
    stage.platform.close()
  })
})

describe('the shapes', () => {
  test('of a thousand seeds are all within what manifests may say, in one process or up to four nodes', () => {
    const shapes = Array.from({ length: 1_000 }, (_, seed) => drawShape(createSeededRandom(seed)))
    expect(new Set(shapes.map(({ nodes }) => nodes))).toEqual(new Set([1, 2, 3, 4]))
    expect(new Set(shapes.map(({ topology }) => topology.ledgerPartitions))).toEqual(new Set([1, 2, 3]))
  })
})
