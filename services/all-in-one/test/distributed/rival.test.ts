import { expect, test } from '@jest/globals'
import type { Views } from '@bourse/common/ports/views.ts'
import { StartRefused } from '@bourse/common/process/start-refused.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'
import { ORPHANS_MS_MAX, refuseRival, WORD_WAIT_MS, YOUNG_MS_MAX } from '../../src/distributed/rival.ts'

const NOW_MS = 1_000_000
const word = (shard: string, atMs: number) =>
  ({ _id: '1', shard, controlUrl: `http://${shard}`, atMs }) as unknown as PartitionStateView

/** What a start comes to whose looks at the views see these words, one after the other. */
const outcomeOf = async (looks: readonly (readonly PartitionStateView[])[]) => {
  const clock = createManualClock(NOW_MS)
  let look = 0
  const views = { find: async () => looks[Math.min(look++, looks.length - 1)] } as unknown as Pick<Views, 'find'>
  const outcome = refuseRival({ views, clock }).then(
    () => 'free',
    (error: unknown) => (error instanceof StartRefused ? error.faults.join('; ') : error),
  )
  for (const waitMs of [ORPHANS_MS_MAX, WORD_WAIT_MS]) await clock.advance(waitMs)
  return { outcome: await outcome, looks: look }
}

test('shards that go on speaking belong to somebody: the start is refused and names them and the remedy', async () => {
  const { outcome } = await outcomeOf([
    [word('ledger-0', NOW_MS - 500)],
    [word('ledger-0', NOW_MS + 500)],
    [word('ledger-0', NOW_MS + 2_500)],
  ])
  expect(outcome).toContain('ledger-0 at http://ledger-0')
  expect(outcome).toContain('BOURSE_NAMESPACE')
})

test('shards that fall silent, at most after a last word as their launcher died, are nobody', async () => {
  const last = [word('ledger-0', NOW_MS + 200)]
  expect((await outcomeOf([[word('ledger-0', NOW_MS - 500)], last, last])).outcome).toBe('free')
})

test('old words and none cost one look', async () => {
  expect(await outcomeOf([[word('ledger-0', NOW_MS - YOUNG_MS_MAX)]])).toEqual({ outcome: 'free', looks: 1 })
  expect(await outcomeOf([[]])).toEqual({ outcome: 'free', looks: 1 })
})
