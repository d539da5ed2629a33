import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { World } from '../world/world.ts'
import type { Node } from './node.ts'

/** How often the operator looks while something is not as it should be, ms. */
const LOOK_MS = 200
/** How long a runner that stepped down is left alone before it is replaced: at most, ms. */
const GRACE_MS_MAX = 1_500
/** How long a process that prepares for a partition follows its journal before it gets it: at most, ms. */
const FOLLOW_MS_MAX = 2_000

/** Keeps every partition served by one process: what a cluster's controller does. */
export interface Operator {
  /** The process that is to serve a partition. */
  ownerOf(partition: PartitionNumber): Node
  partitionsOf(node: Node): readonly PartitionNumber[]
  /** Hands a partition to another process at once; the former keeps its runner for `lingersMs`. */
  assign(partition: PartitionNumber, node: Node, lingersMs: number): void
  /** Stops it in order where it is, then starts it on the other process, which may have prepared itself meanwhile. */
  move(partition: PartitionNumber, to: Node): void
  /** Something changed: looks soon. */
  nudge(): void
  /** What is not as it should be, a sentence each. */
  unrest(): readonly string[]
}

interface Place {
  owner: Node
  /** Where it goes once its runner has stopped in order. */
  movesTo: Node | null
  /** Who follows its journal, to have it soon. */
  preparedBy: Node | null
  /** World ms when the runner that stepped down is replaced; null while none did. */
  replaceAtMs: number | null
}

/** Makes the operator. `onFailed` hears of a partition that refuses to serve, once for each time. */
export const createOperator = (deps: {
  readonly world: World
  readonly nodes: readonly Node[]
  readonly places: ReadonlyMap<PartitionNumber, Node>
  readonly onFailed: (partition: PartitionNumber, reason: string) => void
}): Operator => {
  const { world, nodes } = deps
  const chance = world.chance('operator')
  const preparations = world.chance('preparations')
  const places = new Map<PartitionNumber, Place>(
    [...deps.places].map(([partition, owner]) => [
      partition,
      { owner, movesTo: null, preparedBy: null, replaceAtMs: null },
    ]),
  )
  /** Until when a process may keep a runner that another should have: `node partition`. */
  const lingering = new Map<string, number>()
  let isLooking = false

  const placeOf = (partition: PartitionNumber): Place => places.get(partition)!

  /** Replaces a runner that stepped down, after a grace; true while there is something to wait for. */
  const tend = (partition: PartitionNumber, place: Place): boolean => {
    const serving = place.owner.life?.serving ?? null
    if (serving === null || place.owner.isPaused) return true
    const served = serving.served.get(partition)
    if (served === undefined) {
      if (place.movesTo !== null) {
        place.owner = place.movesTo
        place.movesTo = null
        return true
      }
      serving.serve(partition)
      return true
    }
    if (served.isLeaving) return true
    const { state, reason } = served.runner.status()
    if (place.movesTo !== null) {
      serving.release(partition, { snapshot: chance.chance(70) })
      return true
    }
    if (state !== 'failed' && state !== 'deposed') {
      place.replaceAtMs = null
      return state !== 'serving'
    }
    if (place.replaceAtMs === null) {
      place.replaceAtMs = world.nowMs() + chance.between(50, GRACE_MS_MAX)
      if (state === 'failed') deps.onFailed(partition, reason ?? '')
    } else if (world.nowMs() >= place.replaceAtMs) {
      place.replaceAtMs = null
      serving.release(partition, { snapshot: false })
    }
    return true
  }

  /** Takes runners away from processes that are not to have them; true while one has. */
  const clear = (node: Node): boolean => {
    let isWaiting = false
    for (const [partition, served] of node.life?.serving?.served ?? []) {
      if (placeOf(partition).owner === node) continue
      isWaiting = true
      if (served.isLeaving || node.isPaused) continue
      const untilMs = lingering.get(`${node.name} ${partition}`) ?? 0
      if (world.nowMs() < untilMs) continue
      node.life?.serving?.release(partition, { snapshot: chance.chance(50) })
    }
    return isWaiting
  }

  /** Ends what was prepared for a move that will not come. */
  const forget = (node: Node): void => {
    for (const partition of node.life?.serving?.prepared ?? []) {
      const { owner, movesTo, preparedBy } = placeOf(partition)
      if (owner !== node && movesTo !== node && preparedBy !== node) node.life?.serving?.drop(partition)
    }
  }

  const look = (): void => {
    isLooking = false
    let isWaiting = false
    for (const [partition, place] of places) isWaiting = tend(partition, place) || isWaiting
    for (const node of nodes) isWaiting = clear(node) || isWaiting
    for (const node of nodes) forget(node)
    if (isWaiting) lookIn(LOOK_MS)
  }
  const lookIn = (delayMs: number): void => {
    if (isLooking) return
    isLooking = true
    world.schedule(delayMs, 'the operator looks', look)
  }

  return {
    ownerOf: (partition) => placeOf(partition).owner,
    partitionsOf: (node) => [...places].filter(([, place]) => place.owner === node).map(([partition]) => partition),
    assign: (partition, node, lingersMs) => {
      const place = placeOf(partition)
      lingering.set(`${place.owner.name} ${partition}`, world.nowMs() + lingersMs)
      place.owner = node
      place.movesTo = null
      place.replaceAtMs = null
      lookIn(0)
    },
    move: (partition, to) => {
      const place = placeOf(partition)
      const moveNow = (): void => {
        place.preparedBy = null
        place.movesTo = to
        lookIn(0)
      }
      if (preparations.chance(40)) {
        moveNow()
        return
      }
      place.preparedBy = to
      to.life?.serving?.prepare(partition)
      world.schedule(preparations.between(1, FOLLOW_MS_MAX), 'a prepared move', () => {
        // Another move may have been decided meanwhile.
        if (place.preparedBy === to) moveNow()
      })
    },
    nudge: () => lookIn(0),
    unrest: () => {
      const sentences: string[] = []
      for (const [partition, { owner, movesTo }] of places) {
        const name = partitionName(partition)
        const served = owner.life?.serving?.served.get(partition)
        const status = served?.runner.status()
        if (status === undefined) sentences.push(`${name} is not served by ${owner.name}`)
        else if (served!.isLeaving || movesTo !== null) sentences.push(`${name} is moving`)
        else if (status.state !== 'serving') sentences.push(`${name} is ${status.state}: ${status.reason}`)
      }
      for (const node of nodes) {
        for (const [partition] of node.life?.serving?.served ?? []) {
          if (placeOf(partition).owner !== node) sentences.push(`${node.name} still has ${partitionName(partition)}`)
        }
      }
      return sentences
    },
  }
}
