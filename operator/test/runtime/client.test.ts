import { afterEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createKubeClient } from '../../src/runtime/client.ts'
import { configMapKind, nodeKind, podKind, secretKind } from '../../src/runtime/kinds.ts'
import type { ConfigMap } from '../../src/runtime/kinds.ts'
import { createReflectorMetrics, runReflector } from '../../src/runtime/reflector.ts'
import { createStore } from '../../src/runtime/store.ts'
import { KubeApiError } from '../../src/runtime/types.ts'
import type { AppliedObject } from '../../src/runtime/types.ts'
import type { EventFault, RequestFault } from '../../src/testkit/fake-api.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import { FAKE_TOKEN, listenFakeCluster } from '../../src/testkit/fake-http.ts'
import { eventually, mapNamed, silent, valueOf } from './support.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The real client against the fake server over TCP; no request is given up because the machine stands still. */
const setUp = async (requestTimeoutMs = 60_000) => {
  const clock = createSystemClock()
  const cluster = createFakeCluster({ clock })
  const server = await listenFakeCluster(cluster)
  const metrics = createMetrics()
  const { kubeConfig } = server
  const options = { namespace: 'bourse', fieldManager: 'bourse-operator', clock, metrics, requestTimeoutMs }
  const client = createKubeClient({ kubeConfig, ...options })
  closing.push(server.close, () => client.close())
  return { clock, cluster, server, metrics, client, options }
}

const errorOf = async (work: Promise<unknown>): Promise<KubeApiError> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof KubeApiError) return error
  throw new Error(`not a KubeApiError: ${String(error)}`)
}

const crd = { apiVersion: 'bourse.dev/v1alpha1', kind: 'Bank', plural: 'banks' }
const bank = (spec: object): AppliedObject => ({
  apiVersion: crd.apiVersion,
  kind: 'Bank',
  metadata: { name: 'b' },
  spec,
})

describe('The client', () => {
  test('looks for nodes in the cluster, and for everything else in its namespace.', async () => {
    const { cluster, client } = await setUp()
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { unschedulable: true } }
    cluster.create(nodeKind, node)
    expect((await client.get(nodeKind, 'n1'))?.spec?.unschedulable).toBe(true)
    expect((await client.list(nodeKind)).items).toHaveLength(1)
    expect(await client.get(podKind, 'n1')).toBeNull()
  })

  test('makes, reads, changes and removes objects over one kept connection, and counts its requests.', async () => {
    const { server, metrics, client } = await setUp()
    const made = await client.create(configMapKind, mapNamed('a'))
    const read = await client.get(configMapKind, 'a')
    expect(read).toEqual(made)
    const replaced = await client.replace(configMapKind, { ...made, data: { value: 'b' } })
    expect(replaced.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion)
    const stale = await errorOf(client.replace(configMapKind, { ...made, data: { value: 'c' } }))
    expect(stale).toMatchObject({ status: 409, reason: 'Conflict' })
    expect(await errorOf(client.create(configMapKind, mapNamed('a')))).toMatchObject({ reason: 'AlreadyExists' })
    const patched = await client.patch(configMapKind, 'a', [{ op: 'replace', path: '/data/value', value: 'd' }])
    expect(patched.data).toEqual({ value: 'd' })
    const failed = client.patch(configMapKind, 'a', [{ op: 'test', path: '/data/value', value: 'x' }])
    expect(await errorOf(failed)).toMatchObject({ status: 422, reason: 'Invalid' })
    expect(await errorOf(client.delete(configMapKind, 'a', { uid: 'another' }))).toMatchObject({ status: 409 })
    await client.delete(configMapKind, 'a', { uid: made.metadata.uid })
    await client.delete(configMapKind, 'a')
    expect(await client.get(configMapKind, 'a')).toBeNull()
    expect(server.connections()).toBe(1)
    expect(await valueOf(metrics, 'rest_client_requests_total{code="409",method="PUT"}')).toBe(1)
    expect(await valueOf(metrics, 'rest_client_requests_total{code="200",method="PUT"}')).toBe(1)
  })

  test('applies what it owns: the same again changes nothing, what it no longer names goes, what others set stays.', async () => {
    const { cluster, client } = await setUp()
    const first = await client.apply(crd, bank({ one: 1, two: { a: 1 } }))
    expect(await client.apply(crd, bank({ one: 1, two: { a: 1 } }))).toEqual(first)
    cluster.update(crd, 'b', (object) => ({ ...object, spec: { one: 1, two: { a: 1, z: 9 }, other: 5 } }))
    const second = await client.apply(crd, bank({ two: { b: 2 } }))
    expect(second).toMatchObject({ metadata: { generation: 3 }, spec: { two: { b: 2, z: 9 }, other: 5 } })
    expect((second as unknown as { spec: object }).spec).not.toHaveProperty('one')
    const status = { conditions: [{ type: 'Ready', status: 'True' }] }
    const { spec: _spec, ...identity } = bank({})
    const third = await client.applyStatus(crd, { ...identity, status })
    expect(third).toMatchObject({ metadata: { generation: 3 }, spec: { other: 5 }, status })
    expect(await client.apply(crd, bank({ two: { b: 2 } }))).toMatchObject({ status })
    const applies = cluster.requests.filter(({ method }) => method === 'PATCH')
    for (const { contentType, path } of applies) {
      expect(contentType).toBe('application/apply-patch+yaml')
      expect(path).toContain('?fieldManager=bourse-operator&force=true')
    }
  })

  test('reads a whole list by pages of 500 and gives each item its kind.', async () => {
    const { cluster, client } = await setUp()
    for (let count = 0; count < 1_001; count++) cluster.create(podKind, { ...mapNamed(`p${count}`), kind: 'Pod' })
    const { items } = await client.list(podKind)
    expect(items).toHaveLength(1_001)
    expect(items[1_000]).toMatchObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p1000' } })
    expect(cluster.requests).toHaveLength(3)
    expect((await client.list(podKind, { labelSelector: 'a=b' })).items).toEqual([])
  })

  test('shows no token and nothing of a secret in its errors, and says how long to wait.', async () => {
    const { cluster, client } = await setUp()
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { key: 'aGlkZGVu' } }
    cluster.setFaults({
      onRequest: () => ({ fault: 'status', status: 429, reason: 'aGlkZGVu', retryAfterSeconds: 3 }),
    })
    const refused = await errorOf(client.apply(secretKind, secret))
    expect(refused).toMatchObject({ status: 429, retryAfterMs: 3_000 })
    expect(refused.message).toBe('PATCH /api/v1/namespaces/bourse/secrets/s: 429 aGlkZGVu')
    cluster.setFaults({ onRequest: () => ({ fault: 'reset' }) })
    const reset = await errorOf(client.apply(secretKind, secret))
    expect(reset).toMatchObject({ status: 0, reason: 'NoAnswer' })
    const shown = `${reset.stack} ${JSON.stringify(reset)} ${String(reset.cause)}`
    expect(shown).not.toContain(FAKE_TOKEN)
    expect(shown).not.toContain('aGlkZGVu')
  })

  test('gives up a request without an answer after its time, also when the answer stops half way.', async () => {
    const { cluster, metrics, client } = await setUp(100)
    cluster.setFaults({ onRequest: () => ({ fault: 'hang' }) })
    expect(await errorOf(client.get(configMapKind, 'a'))).toMatchObject({ status: 0, reason: 'Timeout' })
    expect(await valueOf(metrics, 'rest_client_requests_total{code="<error>",method="GET"}')).toBe(1)
  })

  test('takes the token from its file again when it was replaced, in the kept pool.', async () => {
    const { cluster, server, options } = await setUp()
    const folder = mkdtempSync(join(tmpdir(), 'bourse-token-'))
    closing.push(() => rmSync(folder, { recursive: true }))
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'an old one')
    const { kubeConfig } = server
    const user = { name: 'inClusterUser', authProvider: { name: 'tokenFile', config: { tokenFile } } }
    kubeConfig.loadFromClusterAndUser({ name: 'c', server: server.url, skipTLSVerify: true }, user)
    const client = createKubeClient({ ...options, metrics: createMetrics(), kubeConfig })
    closing.push(() => client.close())
    expect(await errorOf(client.get(configMapKind, 'a'))).toMatchObject({ status: 401 })
    writeFileSync(tokenFile, FAKE_TOKEN)
    const realNow = Date.now()
    // The library reads the file again after a minute of its own clock.
    const RealDate = globalThis.Date
    class Later extends RealDate {
      constructor() {
        super(realNow + 61_000)
      }
    }
    globalThis.Date = Later as DateConstructor
    try {
      expect(await client.get(configMapKind, 'a')).toBeNull()
    } finally {
      globalThis.Date = RealDate
    }
    expect(cluster.requests).toHaveLength(1)
  })

  test('with a reflector over HTTP ends with the server’s objects after resets, cuts, silence, 410, 429 and 500.', async () => {
    const { clock: real, cluster, server, client } = await setUp()
    // Fifty times as fast, so that pauses of seconds take none.
    const clock = {
      ...real,
      monotonicMs: () => real.monotonicMs() * 50,
      sleep: (delayMs: number, signal?: AbortSignal) => real.sleep(delayMs / 50, signal),
    }
    const random = createSeededRandom(7)
    const requestFaults: (RequestFault | null)[] = [
      null,
      { fault: 'reset' },
      { fault: 'stale' },
      { fault: 'lost' },
      { fault: 'delay', delayMs: 20 },
      { fault: 'status', status: 500, reason: 'InternalError' },
      { fault: 'status', status: 410, reason: 'Expired' },
      { fault: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 },
    ]
    const eventFaults: (EventFault | null)[] = [
      null,
      { fault: 'duplicate' },
      { fault: 'cut' },
      { fault: 'close' },
      { fault: 'hang' },
      { fault: 'delay', delayMs: 5 },
      { fault: 'error', code: 410, reason: 'Expired' },
    ]
    cluster.setFaults({
      onRequest: () => (random.chance(40) ? random.pick(requestFaults) : null),
      onEvent: () => (random.chance(20) ? random.pick(eventFaults) : null),
    })
    const store = createStore<ConfigMap>()
    const stop = new AbortController()
    const metrics = createReflectorMetrics(createMetrics())
    const running = runReflector(
      { source: client, kind: configMapKind, store, onChange: () => undefined, clock, random, logger: silent, metrics },
      stop.signal,
    )
    for (let count = 0; count < 300; count++) {
      const name = `map-${random.below(20)}`
      if (cluster.get(configMapKind, name) === undefined) cluster.create(configMapKind, mapNamed(name))
      else if (random.chance(30)) cluster.remove(configMapKind, name)
      else cluster.update(configMapKind, name, (object) => ({ ...object, data: { value: String(count) } }))
      if (random.chance(5)) cluster.compact()
      if (random.chance(20)) await real.sleep(10)
    }
    cluster.setFaults({})
    const texts = (objects: readonly ConfigMap[]): string =>
      JSON.stringify(
        objects.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort(),
      )
    const truth = texts(cluster.list(configMapKind))
    await eventually(() => texts(store.list()) === truth, 'the store is as the server is')
    stop.abort()
    await running
    await eventually(() => cluster.openWatches() === 0, 'no watch is left at the server')
    expect(server.connections()).toBeLessThan(cluster.requests.length)
  })
})
