import { describe, expect, test } from '@jest/globals'
import { attemptPauseMs, decide } from '../../src/shards/decide.ts'
import { noMemory, SHARD_GRACE_MS, TROUBLE_PAUSE_MS, type Decision, type Memory } from '../../src/shards/types.ts'
import { group, numberOf, pod, seen } from './observations.ts'

const kinds = ({ actions }: Decision): string[] =>
  actions.map((action) => {
    switch (action.kind) {
      case 'acquire':
        return `acquire ${action.partition & 0xff} at ${action.at}`
      case 'move':
        return `move ${action.partition & 0xff} from ${action.from} to ${action.to}`
      case 'release':
        return `release ${action.partition & 0xff} at ${action.at}`
      case 'deletePod':
        return `delete ${action.pod}`
      case 'scale':
        return `scale ${action.replicas}`
    }
  })
const after = (observation: Parameters<typeof decide>[0], nowMs = 0, memory: Memory = noMemory): Memory =>
  decide(observation, memory, nowMs).memory

describe('A decision about a group of shards', () => {
  test('leaves a group alone that serves everything in balance', () => {
    const decision = decide(group([pod(0, [0, 1]), pod(1, [2, 3])]), noMemory, 0)
    expect(kinds(decision)).toEqual([])
    expect(decision.unserved).toEqual([])
    expect(decision.pending).toEqual([])
  })

  test('acquires what was never served, in balance and at once', () => {
    const decision = decide(group([pod(0, []), pod(1, [])]), noMemory, 0)
    expect(kinds(decision)).toEqual([
      'acquire 0 at pair-x-0',
      'acquire 1 at pair-x-0',
      'acquire 2 at pair-x-1',
      'acquire 3 at pair-x-1',
    ])
  })

  test('acquires at once where a shard was started again', () => {
    const memory = after(group([pod(0, [0, 1]), pod(1, [2, 3])]))
    const restarted = pod(1, [], { containerId: 'another' })
    expect(kinds(decide(group([pod(0, [0, 1]), restarted]), memory, 10))).toEqual([
      'acquire 2 at pair-x-1',
      'acquire 3 at pair-x-1',
    ])
  })

  test('waits the grace for a silent shard, then gives what it had to the others and says so', () => {
    const memory = after(group([pod(0, [0, 1]), pod(1, [2, 3])]))
    const silent = group([pod(0, [0, 1]), pod(1, [], { answer: null })])
    const waiting = decide(silent, memory, 1_000)
    expect(kinds(waiting)).toEqual([])
    const still = decide(silent, waiting.memory, 1_000 + SHARD_GRACE_MS - 1)
    expect(kinds(still)).toEqual([])
    const over = decide(silent, still.memory, 1_000 + SHARD_GRACE_MS)
    expect(kinds(over)).toEqual(['acquire 2 at pair-x-0', 'acquire 3 at pair-x-0'])
    expect(over.happenings.map(({ reason }) => reason)).toEqual(['ShardFailed'])
    expect(decide(silent, over.memory, 1_000 + SHARD_GRACE_MS + 1).happenings).toEqual([])
  })

  test('does not wait for a pod that is gone, or whose container does not run', () => {
    const memory = after(group([pod(0, [0, 1]), pod(1, [2, 3])]))
    const taken = ['acquire 2 at pair-x-0', 'acquire 3 at pair-x-0']
    expect(kinds(decide(group([pod(0, [0, 1])], { replicas: 2, wanted: 2 }), memory, 10))).toEqual(taken)
    const dead = pod(1, [], { answer: null, containerId: null })
    expect(kinds(decide(group([pod(0, [0, 1]), dead]), memory, 10))).toEqual(taken)
  })

  test('a new operator waits for a silent shard of which the views speak', () => {
    const said = new Map(
      [2, 3].map((one) => [numberOf(one), { shard: 'pair-x-1', epoch: 4, state: 'serving' }] as const),
    )
    const silent = group([pod(0, [0, 1]), pod(1, [], { answer: null })], { said })
    const first = decide(silent, noMemory, 0)
    expect(kinds(first)).toEqual([])
    expect(kinds(decide(silent, first.memory, SHARD_GRACE_MS))).toHaveLength(2)
  })

  test('a lone silent shard waits for itself', () => {
    const memory = after(group([pod(0, [0, 1, 2, 3])]))
    const silent = group([pod(0, [], { answer: null })])
    expect(kinds(decide(silent, after(silent, 0, memory), SHARD_GRACE_MS * 2))).toEqual([])
  })

  test('acquires what its shard gave up after a pause that grows', () => {
    const failed = group([pod(0, [0, 1, 2], { answer: [seen(0), seen(1), seen(2), seen(3, 'failed')] })])
    const first = decide(failed, noMemory, 0)
    expect(kinds(first)).toEqual([])
    const second = decide(failed, first.memory, TROUBLE_PAUSE_MS)
    expect(kinds(second)).toEqual(['acquire 3 at pair-x-0'])
    expect(kinds(decide(failed, second.memory, TROUBLE_PAUSE_MS + 10))).toEqual([])
    expect([0, 1, 2, 3, 20].map(attemptPauseMs)).toEqual([0, 1_000, 2_000, 4_000, 60_000])
  })

  test('moves the fewest partitions to a new shard', () => {
    const decision = decide(group([pod(0, [0, 1, 2, 3]), pod(1, [])]), noMemory, 0)
    expect(kinds(decision)).toEqual(['move 2 from pair-x-0 to pair-x-1', 'move 3 from pair-x-0 to pair-x-1'])
  })

  test('gives no second order for a partition that has one under way', () => {
    const moving = [2, 3].map((index) => ({ partition: numberOf(index), from: 'pair-x-0', to: 'pair-x-1' }))
    expect(kinds(decide(group([pod(0, [0, 1, 2, 3]), pod(1, [])], { moving }), noMemory, 0))).toEqual([])
    expect(
      kinds(
        decide(
          group([pod(0, [0, 1, 2]), pod(1, [])], { ordered: new Set([numberOf(3)]), moving: [moving[0]!] }),
          noMemory,
          0,
        ),
      ),
    ).toEqual([])
  })

  test('releases a copy that is followed and stays, never under an epoch above its owner', () => {
    const follower = pod(1, [2, 3], { answer: [seen(2), seen(3), seen(0, 'prepared', 9)] })
    const decision = decide(group([pod(0, [0, 1]), follower]), noMemory, 0)
    expect(decision.actions).toEqual([{ kind: 'release', partition: numberOf(0), at: 'pair-x-1', epoch: 9 }])
  })

  test('of two owners the one of the higher epoch stands', () => {
    const old = pod(1, [], { answer: [seen(2), seen(3), seen(0, 'serving', 4)] })
    const decision = decide(group([pod(0, [0, 1]), old]), noMemory, 0)
    expect(decision.actions).toEqual([{ kind: 'release', partition: numberOf(0), at: 'pair-x-1', epoch: 4 }])
  })

  test('what was prepared when its owner let go is acquired there', () => {
    const follower = pod(1, [2], { answer: [seen(2), seen(3, 'prepared', 9)] })
    expect(kinds(decide(group([pod(0, [0, 1]), follower]), noMemory, 0))).toEqual(['acquire 3 at pair-x-1'])
  })

  test('what is begun elsewhere is not moved before it is served', () => {
    const decision = decide(
      group([pod(0, [], { answer: [0, 1, 2, 3].map((one) => seen(one, 'recovering')) }), pod(1, [])]),
      noMemory,
      0,
    )
    expect(kinds(decision)).toEqual([])
  })
})

describe('Pods of a group', () => {
  test('one that is being deleted gives everything to the others', () => {
    const decision = decide(group([pod(0, [0, 1]), pod(1, [2, 3], { isTerminating: true })]), noMemory, 0)
    expect(kinds(decision)).toEqual(['move 2 from pair-x-1 to pair-x-0', 'move 3 from pair-x-1 to pair-x-0'])
  })

  test('scaling down moves first, and lowers the replicas once the highest serve nothing', () => {
    const busy = group([pod(0, [0, 1]), pod(1, [2, 3])], { wanted: 1, replicas: 2 })
    const moving = decide(busy, noMemory, 0)
    expect(kinds(moving)).toEqual(['move 2 from pair-x-1 to pair-x-0', 'move 3 from pair-x-1 to pair-x-0'])
    const drained = group([pod(0, [0, 1, 2, 3]), pod(1, [])], { wanted: 1, replicas: 2 })
    const done = decide(drained, moving.memory, 10)
    expect(kinds(done)).toEqual(['scale 1'])
    expect(done.happenings.map(({ reason }) => reason)).toEqual(['ShardDrained'])
  })

  test('scaling up raises the replicas at once', () => {
    expect(kinds(decide(group([pod(0, [0, 1, 2, 3])], { wanted: 4, replicas: 1 }), noMemory, 0))).toEqual(['scale 4'])
  })

  test('replicas that somebody else sets are left alone', () => {
    expect(kinds(decide(group([pod(0, [0, 1, 2, 3])], { wanted: null, replicas: 3 }), noMemory, 0))).toEqual([])
  })

  test('a rolling update drains one pod, deletes it, and goes on only when all are well', () => {
    const pods = [pod(0, [0, 1], { isOutdated: true }), pod(1, [2, 3], { isOutdated: true })]
    const draining = decide(group(pods), noMemory, 0)
    expect(kinds(draining)).toEqual(['move 2 from pair-x-1 to pair-x-0', 'move 3 from pair-x-1 to pair-x-0'])
    const empty = [pod(0, [0, 1, 2, 3], { isOutdated: true, isReady: false }), pod(1, [], { isOutdated: true })]
    const deleting = decide(group(empty), draining.memory, 10)
    expect(kinds(deleting)).toEqual(['delete pair-x-1'])
    const ending = [pod(0, [0, 1, 2, 3], { isOutdated: true }), pod(1, [], { isOutdated: true, isTerminating: true })]
    expect(kinds(decide(group(ending), deleting.memory, 20))).toEqual([])
    const begun = [pod(0, [0, 1, 2, 3], { isOutdated: true }), pod(1, [], { uid: 'new', answer: null, isReady: false })]
    expect(kinds(decide(group(begun), deleting.memory, 30))).toEqual([])
    const back = [pod(0, [0, 1], { isOutdated: true }), pod(1, [2, 3], { uid: 'new' })]
    expect(kinds(decide(group(back), deleting.memory, 40))).toEqual([
      'move 0 from pair-x-0 to pair-x-1',
      'move 1 from pair-x-0 to pair-x-1',
    ])
  })

  test('a rolling update does not begin while another pod is not ready, or a pod is missing', () => {
    const outdated = pod(1, [2, 3], { isOutdated: true })
    expect(kinds(decide(group([pod(0, [0, 1], { isReady: false }), outdated]), noMemory, 0))).toEqual([])
    expect(kinds(decide(group([pod(0, [0, 1]), outdated], { wanted: 3, replicas: 3 }), noMemory, 0))).toEqual([])
  })

  test('a failed pod of the old template is replaced whatever the others are', () => {
    const broken = group([pod(0, [0, 1, 2, 3], { isReady: false }), pod(1, [], { isOutdated: true, answer: null })])
    const memory = after(broken)
    expect(kinds(decide(broken, memory, SHARD_GRACE_MS))).toEqual(['delete pair-x-1'])
  })

  test('a lone shard of a pair gets a stand-in before it is replaced, which goes again after', () => {
    const lone = decide(group([pod(0, [0, 1, 2, 3], { isOutdated: true })], { wanted: 1 }), noMemory, 0)
    expect(kinds(lone)).toEqual(['scale 2'])
    const both = group([pod(0, [0, 1], { isOutdated: true }), pod(1, [2, 3])], { wanted: 1, replicas: 2 })
    expect(kinds(decide(both, lone.memory, 10))).toEqual([
      'move 0 from pair-x-0 to pair-x-1',
      'move 1 from pair-x-0 to pair-x-1',
    ])
    const moved = group([pod(0, [], { isOutdated: true }), pod(1, [0, 1, 2, 3])], { wanted: 1, replicas: 2 })
    expect(kinds(decide(moved, lone.memory, 20))).toEqual(['delete pair-x-0'])
    const renewed = group([pod(0, [], { uid: 'new' }), pod(1, [0, 1, 2, 3])], { wanted: 1, replicas: 2 })
    expect(kinds(decide(renewed, lone.memory, 30))).toEqual([
      'move 0 from pair-x-1 to pair-x-0',
      'move 1 from pair-x-1 to pair-x-0',
    ])
    const home = group([pod(0, [0, 1, 2, 3], { uid: 'new' }), pod(1, [])], { wanted: 1, replicas: 2 })
    expect(kinds(decide(home, lone.memory, 40))).toEqual(['scale 1'])
  })

  test('a lone shard whose replicas are the chart’s is replaced as it is, and hands over as it ends', () => {
    const outdated = group([pod(0, [0, 1, 2, 3], { isOutdated: true })], { wanted: null })
    expect(kinds(decide(outdated, noMemory, 0))).toEqual(['delete pair-x-0'])
    const ending = group([pod(0, [0, 1, 2, 3], { isTerminating: true })], { wanted: null })
    expect(kinds(decide(ending, noMemory, 0))).toEqual([0, 1, 2, 3].map((one) => `release ${one} at pair-x-0`))
  })

  test('a cordoned node is left as long as there is another', () => {
    const cordoned = pod(1, [2, 3], { isCordoned: true })
    expect(kinds(decide(group([pod(0, [0, 1]), cordoned]), noMemory, 0))).toHaveLength(2)
    const alone = group([pod(0, [], { isCordoned: true })], { wanted: null })
    expect(kinds(decide(alone, noMemory, 0))).toHaveLength(4)
  })

  test('a group that ends is released, and nothing of it is acquired again', () => {
    const ending = group([pod(0, [0, 1]), pod(1, [2])], { isEnding: true })
    expect(kinds(decide(ending, noMemory, 0))).toEqual([
      'release 0 at pair-x-0',
      'release 1 at pair-x-0',
      'release 2 at pair-x-1',
    ])
  })

  test('a copy that a move left behind is let go at the end too', () => {
    const follower = pod(1, [], { answer: [seen(3, 'prepared', 9)] })
    const ending = group([pod(0, [], { answer: [seen(3, 'released', 9)] }), follower], { isEnding: true })
    expect(decide(ending, noMemory, 0).actions).toEqual([
      { kind: 'release', partition: numberOf(3), at: 'pair-x-1', epoch: 9 },
    ])
  })

  test('a stand-in of a template that never starts is replaced by one of the next template', () => {
    const begun = decide(group([pod(0, [0, 1, 2, 3], { isOutdated: true })], { wanted: 1 }), noMemory, 0)
    expect(kinds(begun)).toEqual(['scale 2'])
    const pods = (isOutdated: boolean) => [
      pod(0, [0, 1, 2, 3], { isOutdated: true }),
      pod(1, [], { isOutdated, isReady: false, answer: null, containerId: null }),
    ]
    const waiting = decide(group(pods(false), { wanted: 1 }), begun.memory, 10)
    expect(kinds(waiting)).toEqual([])
    const later = decide(group(pods(false), { wanted: 1 }), waiting.memory, 10 + SHARD_GRACE_MS)
    expect(kinds(later)).toEqual([])
    expect(kinds(decide(group(pods(true), { wanted: 1 }), later.memory, 20 + SHARD_GRACE_MS))).toContain(
      'delete pair-x-1',
    )
  })

  test('a pod of an older template that never became ready is replaced before those that are', () => {
    const pods = [
      pod(0, [0, 1], { isOutdated: true }),
      pod(1, [2], { isOutdated: true, isReady: false }),
      pod(2, [3], { isOutdated: true }),
    ]
    expect(kinds(decide(group(pods), noMemory, 0))).toEqual(['move 2 from pair-x-1 to pair-x-2'])
  })

  test('what failed at a pod of the older template does not keep the newer one out, what failed at the newer one does', () => {
    const failing = (isOutdated: boolean) =>
      group([pod(0, [0, 1], { isOutdated: true }), pod(1, [2], { isOutdated, answer: [seen(2), seen(3, 'failed')] })])
    expect(kinds(decide(failing(true), noMemory, 0))).toEqual(['move 2 from pair-x-1 to pair-x-0'])
    expect(kinds(decide(failing(false), noMemory, 0))).toEqual([])
  })

  test('the last pod that is left of several is not replaced with its partitions', () => {
    const [outdated, other] = [pod(0, [0, 1], { isOutdated: true }), pod(1, [2, 3], { isOutdated: true })]
    const memory = { ...after(group([outdated, other], { wanted: null })), replacing: outdated.uid }
    const left = group([pod(0, [0, 1, 2, 3], { isOutdated: true })], { wanted: null, replicas: 2 })
    expect(kinds(decide(left, memory, 10))).toEqual([])
  })
})
