import type { Clock } from '@bourse/common/ports/clock.ts'
import { momentOf } from '../engine/trade-fields.ts'
import { answer, route, type Route } from '../http/route.ts'
import type { PartitionState, PlatformInspector } from '../platform-inspector.ts'
import type { Acts } from './acts.ts'
import { adminSpecs } from './specs.ts'

/** A page that asks again and again is one reading in the audit for this long, ms. */
export const READING_MS = 60_000
/** Readers whose last reading is remembered; beyond it all are forgotten, and noted once more. */
const READERS_MAX = 100

/** What is not known of a partition that nobody ever spoke of is null, never a nought that looks like a fact. */
const partitionFields = (partition: PartitionState) => {
  const { name, number, state, reason, shard, snapshotSequence, snapshotAtMs } = partition
  const isKnown = shard !== null
  return {
    name,
    number,
    state,
    reason,
    shard,
    sequence: isKnown ? String(partition.sequence) : null,
    // 0 is where a journal begins: nobody stored that.
    snapshotSequence: snapshotSequence === null || snapshotSequence === 0n ? null : String(snapshotSequence),
    snapshotAt: snapshotAtMs === null ? null : momentOf(snapshotAtMs),
    viewLagRecords: isKnown ? String(partition.viewLagRecords) : null,
  }
}

/** Shards in the order of their names, each with what it serves and when it last spoke. */
const shardsOf = (partitions: readonly PartitionState[], nowMs: number) => {
  const names = [...new Set(partitions.flatMap(({ shard }) => (shard === null ? [] : [shard])))].sort()
  return names.map((name) => {
    const own = partitions.filter(({ shard }) => shard === name)
    return {
      name,
      heardAt: momentOf(nowMs - Math.min(...own.map(({ ageMs }) => ageMs))),
      partitions: own.map((partition) => partition.name),
    }
  })
}

/**
 * The platform as an operator looks at it. It tells nothing of any person, and a page shows it anew every few seconds: a reader
 * is noted in the audit at the first look and then once a minute, which leaves the audit readable.
 */
export const platformRoute = (deps: {
  readonly platform: PlatformInspector
  readonly clock: Clock
  readonly acts: Pick<Acts, 'noteRead'>
}): Route => {
  const { platform, clock, acts } = deps
  const notedAtMs = new Map<string, number>()
  const note = async (who: string, reason: string): Promise<void> => {
    const nowMs = clock.monotonicMs()
    const before = notedAtMs.get(who)
    if (before !== undefined && nowMs - before < READING_MS) return
    await acts.noteRead(who, 'read-platform', reason, {})
    if (notedAtMs.size >= READERS_MAX) notedAtMs.clear()
    notedAtMs.set(who, nowMs)
  }
  return route({
    spec: adminSpecs.platform,
    handle: async ({ query }, { who }) => {
      await note(who, typeof query['reason'] === 'string' ? query['reason'] : 'not given')
      const nowMs = clock.nowMs()
      const partitions = platform.partitions()
      const viewsAsOfMs = platform.viewsAsOfMs()
      return answer({
        success: true,
        data: {
          ...platform.ready(),
          asOf: momentOf(nowMs),
          viewsAsOf: viewsAsOfMs > 0 && Number.isFinite(viewsAsOfMs) ? momentOf(viewsAsOfMs) : null,
          shards: shardsOf(partitions, nowMs),
          partitions: partitions.map(partitionFields),
        },
      })
    },
  })
}
