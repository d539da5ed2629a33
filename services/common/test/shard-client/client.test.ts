import { afterEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createSecret } from '@bourse/common/config/secret.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { createShardClient, ShardUnreachable } from '@bourse/common/shard-client/client.ts'
import { startShardControl, type ShardControl } from '@bourse/common/shard/control.ts'
import type { Shard } from '@bourse/common/shard/shard.ts'
import { done, refused, type ManifestState, type ShardPartition } from '@bourse/common/shard/types.ts'

const TOKEN = 'a-control-token-of-more-than-thirty-two-characters'
const LEDGER = partitionNumber('ledger', 0)
const OTHER = partitionNumber('ledger', 1)
const MANIFEST: ManifestState = { kind: 'Bank', name: 'demo', generation: 4, state: 'Pending', reason: 'not yet' }
const clock = createSystemClock()

const stateOf = (partition: number): ShardPartition => ({
  partition,
  state: 'serving',
  reason: null,
  epoch: 3,
  sequence: 9n,
  snapshotSequence: null,
  snapshotAtMs: null,
  viewSequence: 9n,
  viewsAsOfMs: 1,
  runner: null,
})

/** A shard that takes orders under epoch 3 and higher, and can't serve the second partition. */
const createStub = () => {
  const told: string[] = []
  const order = (what: string) => (partition: number, epoch: number) => {
    told.push(`${what} ${partition} ${epoch}`)
    return Promise.resolve(epoch < 3 ? refused('STALE_EPOCH', 'epoch 3 was seen already') : done(stateOf(partition)))
  }
  const shard: Shard<never> = {
    name: 'ledger-0',
    machine: 'ledger',
    epoch: 3,
    assign: (epoch, partitions) => {
      told.push(`assign ${partitions.join()} ${epoch}`)
      const failure = refused('ACQUIRE_FAILED', 'the journal is gone').refusal
      return Promise.resolve(
        epoch < 3
          ? refused('STALE_EPOCH', 'epoch 3 was seen already')
          : done(partitions.map((partition) => ({ partition, refusal: partition === OTHER ? failure : null }))),
      )
    },
    prepare: order('prepare'),
    acquire: order('acquire'),
    release: order('release'),
    giveWay: order('give way'),
    snapshotNow: order('snapshot'),
    status: () => [stateOf(LEDGER), stateOf(OTHER)],
    stateHashes: () => Promise.resolve(new Map([[LEDGER, 'a'.repeat(32)]])),
    observe: () => undefined,
    query: () => Promise.reject(new Error('nobody asks')),
    stop: () => Promise.resolve(),
  }
  return { shard, told }
}

describe('orders to a shard over its control interface', () => {
  let control: ShardControl | null = null
  afterEach(() => control?.stop())

  const open = async (token = TOKEN, fence?: () => number) => {
    const { shard, told } = createStub()
    const topology = { ledgerPartitions: 2, bridgePartitions: 1, markets: new Map() }
    const metrics = { expose: () => Promise.resolve({ contentType: 'text/plain', text: '' }) }
    const logger = pino({ level: 'silent' })
    const place = { host: '127.0.0.1', port: 0 }
    control = await startShardControl({
      levels: { get: () => 'silent', set: () => undefined },
      ...{ shard, topology, manifests: () => [MANIFEST], token: createSecret(TOKEN) },
      ...{ ...place, metrics, clock, logger },
    })
    const client = createShardClient({ token, clock, ...(fence === undefined ? {} : { fence }) })
    return { url: control.url, told, client }
  }

  test('arrive with partition and epoch, and are answered when they are done', async () => {
    const { url, told, client } = await open()
    expect(await client.prepare(url, LEDGER, 4)).toBeNull()
    expect(await client.release(url, LEDGER, 4)).toBeNull()
    expect(await client.acquire(url, LEDGER, 5)).toBeNull()
    expect(await client.snapshot(url, LEDGER, 5)).toBeNull()
    expect(told).toEqual([`prepare ${LEDGER} 4`, `release ${LEDGER} 4`, `acquire ${LEDGER} 5`, `snapshot ${LEDGER} 5`])
    expect(await client.acquire(url, LEDGER, 2)).toEqual({ code: 'STALE_EPOCH', message: 'epoch 3 was seen already' })
  })

  test('of an assignment tell what of it was refused, or that all of it was', async () => {
    const { url, told, client } = await open()
    expect(await client.assign(url, 4, [LEDGER])).toEqual([])
    expect(await client.assign(url, 5, [LEDGER, OTHER])).toEqual([
      { partition: OTHER, refusal: { code: 'ACQUIRE_FAILED', message: 'the journal is gone' } },
    ])
    expect(await client.assign(url, 1, [])).toEqual([
      { partition: null, refusal: { code: 'STALE_EPOCH', message: 'epoch 3 was seen already' } },
    ])
    expect(told).toEqual([`assign ${LEDGER} 4`, `assign ${LEDGER},${OTHER} 5`, 'assign  1'])
  })

  test('can ask for the hashes of the states that are served', async () => {
    const { url, client } = await open()
    expect([...(await client.stateHashes(url))]).toEqual([[LEDGER, 'a'.repeat(32)]])
  })

  test('carry the fence of who orders; a shard that saw a higher one refuses, and orders without one pass', async () => {
    let fence = 7
    const { url, told, client } = await open(TOKEN, () => fence)
    expect(await client.acquire(url, LEDGER, 4)).toBeNull()
    fence = 6
    expect(await client.acquire(url, LEDGER, 5)).toMatchObject({ code: 'STALE_FENCE' })
    expect(await client.assign(url, 5, [LEDGER])).toMatchObject([{ partition: null, refusal: { code: 'STALE_FENCE' } }])
    expect(await createShardClient({ token: TOKEN, clock }).acquire(url, LEDGER, 6)).toBeNull()
    fence = 8
    expect(await client.assign(url, 7, [LEDGER])).toEqual([])
    expect(told).toEqual([`acquire ${LEDGER} 4`, `acquire ${LEDGER} 6`, `assign ${LEDGER} 7`])
  })

  test('can be followed: what the partitions are, and the manifests', async () => {
    const { url, client } = await open()
    const { shard, machine, epoch, partitions } = await client.partitions(url)
    expect({ shard, machine, epoch }).toEqual({ shard: 'ledger-0', machine: 'ledger', epoch: 3 })
    expect(partitions.map(({ number }) => number)).toEqual([LEDGER, OTHER])
    expect(partitions[0]).toMatchObject({ state: 'serving', sequence: '9', viewSequence: '9', snapshotSequence: null })
    expect(partitions[0]!.lagMs).toBeGreaterThan(0)
    expect(await client.manifests(url)).toEqual([MANIFEST])
  })

  test('without the token are refused and never reach the shard', async () => {
    const { url, told, client } = await open('another-token-of-more-than-thirty-two-characters')
    expect(await client.acquire(url, LEDGER, 4)).toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await client.assign(url, 4, [LEDGER])).toMatchObject([{ refusal: { code: 'UNAUTHENTICATED' } }])
    await expect(client.stateHashes(url)).rejects.toBeInstanceOf(ShardUnreachable)
    expect(told).toEqual([])
  })

  test('that nobody answers say where, and no token', async () => {
    const client = createShardClient({ token: TOKEN, clock })
    const error: unknown = await client.acquire('http://127.0.0.1:1', LEDGER, 4).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ShardUnreachable)
    expect(String(error)).toContain('http://127.0.0.1:1/control/partitions')
    expect(String(error)).not.toContain(TOKEN)
  })
})
