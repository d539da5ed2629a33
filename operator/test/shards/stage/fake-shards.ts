import type { ManifestRecord } from '@bourse/common/ports/directory.ts'
import type { ShownShard } from '@bourse/common/shard-client/answers.ts'
import { ShardUnreachable, type OrderRefusal, type ShardClient } from '@bourse/common/shard-client/client.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'

const STEPS = { prepare: 0, acquire: 1, release: 2 } as const
type Order = keyof typeof STEPS

interface Seat {
  state: string
  epoch: number
  seenEpoch: number
  seenStep: number
}

/** A shard in memory that refuses what a real one refuses. */
export interface FakeShard {
  readonly name: string
  readonly seats: Map<number, Seat>
  /** Whether it answers. */
  isUp: boolean
  /** What is asked of it is never answered, nor refused: a process that stands still, a node that is gone. */
  isStuck: boolean
  highestFence: number
}

/** All shards of a stage. The journal of a partition takes one writer: who acquires it deposes the one before. */
export interface FakeShards {
  start(name: string, url: string): FakeShard
  stop(url: string): void
  at(url: string): FakeShard | undefined
  /** Who serves each partition by its own word. */
  owners(): ReadonlyMap<number, readonly string[]>
  /** A client as one operator has it; `gate` sees every order before it is carried out, and after. */
  client(fence: () => number, gate: (what: string, when: 'before' | 'after') => Promise<void>): ShardClient
  /** What the shards last said in the views. */
  rows(): readonly PartitionStateView[]
  /** Orders carried out, oldest first. */
  readonly log: string[]
  /** What shards say of manifests: null, all are in force. */
  refusal: string | null
  unconfirmedEffects: number
  onSnapshot: (partition: number) => Promise<void>
}

/** Makes them; `manifests` are those that are stored. */
export const createFakeShards = (manifests: () => readonly ManifestRecord[]): FakeShards => {
  const shards = new Map<string, FakeShard>()
  const rows = new Map<number, PartitionStateView>()
  const log: string[] = []

  const say = (shard: FakeShard): void => {
    for (const [partition, seat] of shard.seats) {
      if (seat.state !== 'serving') continue
      if ((rows.get(partition)?.epoch ?? 0) > seat.epoch) continue
      const said = { shard: shard.name, epoch: seat.epoch, state: seat.state, reason: null }
      const snapshot = { snapshotSequence: null, snapshotAtMs: null }
      const numbers = { ...snapshot, sequence: 10n, viewSequence: 10n, viewsAsOfMs: 0, atMs: 0 }
      rows.set(partition, { _id: String(partition), ...said, ...numbers, controlUrl: '' })
    }
  }
  const reach = async (url: string): Promise<FakeShard> => {
    const shard = shards.get(url)
    if (shard?.isStuck === true) await new Promise(() => undefined)
    if (shard?.isUp !== true) throw new ShardUnreachable(`${url} does not answer`)
    return shard
  }
  const stale = (message: string): OrderRefusal => ({ code: 'STALE_EPOCH', message })

  const carryOut = (shard: FakeShard, order: Order, partition: number, epoch: number): OrderRefusal | null => {
    const step = STEPS[order]
    const seat = shard.seats.get(partition) ?? { state: 'released', epoch: 0, seenEpoch: 0, seenStep: -1 }
    if (epoch < seat.seenEpoch) return stale(`${shard.name} has had epoch ${seat.seenEpoch}, ${epoch} is out of date`)
    if (epoch === seat.seenEpoch && seat.seenStep === STEPS.release && step < STEPS.release) return stale('released')
    if (epoch === seat.seenEpoch && step <= seat.seenStep) return null
    shard.seats.set(partition, seat)
    Object.assign(seat, { seenEpoch: epoch, seenStep: step, epoch })
    if (order === 'release') seat.state = 'released'
    if (order === 'prepare' && seat.state !== 'serving') seat.state = 'prepared'
    if (order === 'acquire') {
      for (const other of shards.values()) {
        const theirs = other.seats.get(partition)
        if (other !== shard && theirs?.state === 'serving') theirs.state = 'deposed'
      }
      seat.state = 'serving'
    }
    log.push(`${order} ${partition & 0xff} at ${shard.name}`)
    say(shard)
    return null
  }

  const made: FakeShards = {
    log,
    refusal: null,
    unconfirmedEffects: 0,
    onSnapshot: () => Promise.resolve(),
    start: (name, url) => {
      const shard: FakeShard = { name, seats: new Map(), isUp: true, isStuck: false, highestFence: 0 }
      shards.set(url, shard)
      return shard
    },
    stop: (url) => void shards.delete(url),
    at: (url) => shards.get(url),
    owners: () => {
      const owners = new Map<number, string[]>()
      for (const shard of shards.values())
        for (const [partition, { state }] of shard.seats)
          if (state === 'serving') owners.set(partition, [...(owners.get(partition) ?? []), shard.name])
      return owners
    },
    rows: () => [...rows.values()],
    client: (fence, gate) => {
      const order = (what: Order) => async (url: string, partition: number, epoch: number) => {
        const told = fence()
        await gate(`${what} ${partition & 0xff}`, 'before')
        const shard = await reach(url)
        if (told < shard.highestFence) return { code: 'STALE_FENCE', message: `${shard.highestFence} was seen` }
        shard.highestFence = told
        const refusal = carryOut(shard, what, partition, epoch)
        await gate(`${what} ${partition & 0xff}`, 'after')
        return refusal
      }
      const partitions = async (url: string): Promise<ShownShard> => {
        await gate('look', 'before')
        const shard = await reach(url)
        const shown = [...shard.seats].map(([number, { state, epoch }]) => ({
          partition: String(number),
          number,
          state,
          ready: state === 'serving',
          reason: null,
          epoch,
          sequence: '10',
          snapshotSequence: null,
          viewSequence: '10',
          viewsAsOfMs: 0,
          lagMs: 1,
          waitingCommands: 0,
          unconfirmedEffects: made.unconfirmedEffects,
        }))
        return { shard: shard.name, machine: 'trading', epoch: 0, partitions: shown }
      }
      return {
        prepare: order('prepare'),
        acquire: order('acquire'),
        release: order('release'),
        partitions,
        snapshot: async (url, partition) => {
          await gate('snapshot', 'before')
          if ((await reach(url)).seats.get(partition)?.state !== 'serving')
            return { code: 'NOT_SERVED', message: 'not here' }
          await made.onSnapshot(partition)
          return null
        },
        manifests: async (url) => {
          await gate('look', 'before')
          await reach(url)
          const state = made.refusal === null ? 'InForce' : 'Refused'
          return manifests().map(({ kind, name, generation }) => ({
            kind,
            name,
            generation,
            state,
            reason: made.refusal,
          }))
        },
        assign: () => Promise.reject(new Error('no assignments here')),
        stateHashes: () => Promise.resolve(new Map()),
      }
    },
  }
  return made
}
