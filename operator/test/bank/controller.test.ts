import { describe, expect, test } from '@jest/globals'
import { bankKind } from '../../src/resources/kinds.ts'
import { podKind, secretKind } from '../../src/runtime/kinds.ts'
import { createWorld } from './world.ts'

const DAY_MS = 86_400_000
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

describe('a bank that is made', () => {
  test('gets a key that is valid, a stored manifest, a finalizer and a status', async () => {
    const { start, addBank, secretText, valid, hashes, manifests, bank, condition } = createWorld()
    addBank()
    await start().reconcile()
    expect(secretText('api-key')).toMatch(/^[\w-]{43}$/)
    expect(secretText('webhook-secret')).toMatch(/^[\w-]{43}$/)
    expect(valid()).toEqual(hashes('api-key'))
    expect(manifests.get('try')).toMatchObject({ kind: 'Bank', generation: 1, fence: 1 })
    expect(JSON.parse(manifests.get('try')!.document)).toMatchObject({ kind: 'Bank', metadata: { name: 'try' } })
    expect(bank()?.metadata.finalizers).toEqual(['bourse.dev/bank'])
    expect(bank()?.status).toMatchObject({
      observedGeneration: 1,
      keySecret: 'bank-try-key',
      keyRotatedAt: '2026-01-01T00:00:00Z',
    })
    expect(condition('Ready')).toMatchObject({ status: 'True', reason: 'Active' })
    expect(condition('KeyRotationDue')).toMatchObject({ status: 'False', reason: 'NotDue' })
    expect(condition('CallbackReachable')).toMatchObject({ status: 'True' })
  })

  test('has a Secret whose labels say whose it is, and which no garbage collector ends with it', async () => {
    const { start, addBank, cluster } = createWorld()
    addBank()
    await start().reconcile()
    const { metadata } = cluster.get(secretKind, 'bank-try-key')!
    expect(metadata.labels).toMatchObject({ 'bourse.dev/bank': 'try' })
    // kubectl delete --cascade=foreground would remove what it owns before the bank may go.
    expect(metadata.ownerReferences ?? []).toEqual([])
  })

  test('is left alone by the next looks: nothing is written again', async () => {
    const { start, addBank, cluster, clock } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    const before = cluster.requests.length
    await reconcile()
    await clock.advance(61_000)
    await reconcile()
    expect(cluster.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('with a broken spec is told so and gets no key, and its stored manifest stays', async () => {
    const { start, addBank, condition, reasons, secretText, manifests, cluster, valid } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    cluster.update(bankKind, 'try', (bank) => ({
      ...bank,
      spec: { ...bank.spec, callback: { url: 'ftp://bank.example' } },
    }))
    expect(await reconcile()).toEqual({})
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'InvalidSpec' })
    expect(condition('Ready')?.message).toContain('spec.callback.url: the callback must be an http or https URL')
    expect(reasons()).toContain('InvalidSpec')
    expect(manifests.get('try')?.document).not.toContain('ftp:')
    expect(secretText('api-key')).toBeDefined()
    expect(valid()).toHaveLength(1)
  })

  test('of a leader that was deposed changes neither manifest nor key', async () => {
    const { start, addBank, keys, annotate } = createWorld()
    addBank()
    await start(null, 5).reconcile()
    const before = [...keys.keys()]
    annotate({ 'bourse.dev/rotate-key': 'now' })
    await expect(start(null, 4).reconcile()).rejects.toThrow('younger leader')
    expect([...keys.keys()]).toEqual(before)
  })

  test('may bring its own key in a Secret made before it', async () => {
    const { start, addBank, cluster, valid, hashes, secretText } = createWorld()
    const data = { 'api-key': base64('a-key-made-elsewhere\n') }
    cluster.create(secretKind, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bank-try-key' }, data })
    addBank()
    await start().reconcile()
    expect(secretText('api-key')).toBe('a-key-made-elsewhere')
    expect(valid()).toEqual(hashes('api-key'))
    expect(secretText('webhook-secret')).toMatch(/^[\w-]{43}$/)
  })
})

describe('a rotation', () => {
  test('by age keeps the previous key for the overlap, and no longer', async () => {
    const { start, addBank, clock, secretText, valid, hashes, bank, condition } = createWorld()
    addBank('try', { apiKeys: { rotateAfterDays: 30, overlapHours: 24 } })
    const { reconcile } = start()
    await reconcile()
    const first = secretText('api-key')
    await clock.advance(30 * DAY_MS - 1_000)
    expect(await reconcile()).toEqual({ requeueAfterMs: 1_000 })
    expect(secretText('api-key')).toBe(first)
    await clock.advance(1_000)
    await reconcile()
    expect(secretText('api-key')).not.toBe(first)
    expect(secretText('previous-api-key')).toBe(first)
    expect(secretText('previous-expires-at')).toBe('2026-02-01T00:00:00Z')
    expect(new Set(valid())).toEqual(new Set(hashes('api-key', 'previous-api-key')))
    expect(bank()?.status?.keyRotatedAt).toBe('2026-01-31T00:00:00Z')
    expect(condition('KeyRotationDue')).toMatchObject({ status: 'False', reason: 'Overlap' })
    await clock.advance(DAY_MS)
    expect(valid()).toEqual(hashes('api-key'))
    await reconcile()
    expect(secretText('previous-api-key')).toBeUndefined()
    expect(valid()).toEqual(hashes('api-key'))
  })

  test('as asked happens once for each value of the annotation, also by a new leader', async () => {
    const { start, addBank, annotate, secretText, reasons } = createWorld()
    addBank()
    await start().reconcile()
    const first = secretText('api-key')
    annotate({ 'bourse.dev/rotate-key': 'one' })
    const { reconcile } = start()
    await reconcile()
    const second = secretText('api-key')
    expect(second).not.toBe(first)
    await reconcile()
    await start(null, 2).reconcile()
    expect(secretText('api-key')).toBe(second)
    annotate({ 'bourse.dev/rotate-key': 'two' })
    await reconcile()
    expect(secretText('previous-api-key')).toBe(second)
    expect(reasons().filter((reason) => reason === 'KeyRotated')).toHaveLength(2)
  })

  test('without an overlap ends the old key at once', async () => {
    const { start, addBank, annotate, valid, hashes, keys } = createWorld()
    addBank('try', { apiKeys: { rotateAfterDays: 30, overlapHours: 0 } })
    const { reconcile } = start()
    await reconcile()
    annotate({ 'bourse.dev/rotate-key': 'leaked' })
    await reconcile()
    expect(valid()).toEqual(hashes('api-key'))
    expect(keys.size).toBe(1)
  })

  test('waits while the bank is paused, and says that it is due', async () => {
    const { start, addBank, annotate, clock, secretText, condition } = createWorld()
    addBank('try', { apiKeys: { rotateAfterDays: 1 } })
    const { reconcile } = start()
    await reconcile()
    const first = secretText('api-key')
    annotate({ 'bourse.dev/paused': 'true' })
    await clock.advance(2 * DAY_MS)
    await reconcile()
    expect(secretText('api-key')).toBe(first)
    expect(condition('Ready')).toMatchObject({ status: 'Unknown', reason: 'Paused' })
    expect(condition('KeyRotationDue')).toMatchObject({ status: 'True', reason: 'Overdue' })
    annotate({})
    await reconcile()
    expect(secretText('api-key')).not.toBe(first)
    expect(condition('Ready')).toMatchObject({ status: 'True' })
  })
})

describe("a Secret that is not the bank's", () => {
  const owner = { apiVersion: 'v1', kind: 'Other', name: 'other', uid: 'uid-other', controller: true }
  const key = { 'api-key': base64('a-key-that-somebody-chose') }
  test.each([
    { why: 'a controller has it', metadata: { ownerReferences: [owner] }, data: key },
    { why: 'another bank has it', metadata: { labels: { 'bourse.dev/bank': 'other' } }, data: key },
    { why: 'it never held a key', metadata: {}, data: { password: base64('not-to-be-lost') } },
  ])('since $why is left as it is, also when the bank goes', async ({ metadata, data }) => {
    const { start, addBank, cluster, condition, keys, clock, bank } = createWorld()
    const foreign = { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: 'bank-try-key' }, data }
    const secret = cluster.create(secretKind, foreign)
    addBank('try', { deletionPolicy: 'Delete' })
    const { reconcile } = start()
    expect(await reconcile()).toEqual({ requeueAfterMs: 60_000 })
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'SecretRefused' })
    cluster.remove(bankKind, 'try')
    await reconcile()
    await clock.advance(15_000)
    await reconcile()
    expect(bank()).toBeUndefined()
    expect(cluster.get(secretKind, 'bank-try-key')).toEqual(secret)
    expect(keys.size).toBe(0)
  })

  test("that is a copy of the bank's changes no webhook secret", async () => {
    const { start, addBank, cluster, secretText, annotate } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    const { apiVersion, kind, metadata } = cluster.get(secretKind, 'bank-try-key')!
    const data = { 'webhook-secret': base64('a-secret-of-the-copy') }
    cluster.create(secretKind, { apiVersion, kind, metadata: { name: 'copy', labels: metadata.labels! }, data })
    annotate({ 'bourse.dev/rotate-key': 'one' })
    await reconcile()
    const lines = ['webhook-secret', 'previous-webhook-secret'].map((field) => secretText(field))
    expect(secretText('try', 'bourse-webhook-secrets')).toBe(`${lines.join('\n')}\n`)
  })

  test("with another bank's key in it gives nobody that bank's rights", async () => {
    const { start, addBank, cluster, condition, keys, secretText } = createWorld()
    addBank('other')
    addBank()
    const { reconcile } = start()
    await reconcile('other')
    const copied = { 'api-key': base64(secretText('api-key', 'bank-other-key')!) }
    cluster.create(secretKind, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bank-try-key' }, data: copied })
    await reconcile()
    expect([...keys.values()].map((known) => known.bank)).toEqual(['other'])
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'SecretRefused' })
  })
})

describe('a Secret that a hand touched', () => {
  test('and deleted is made again with a new key, and the event says so', async () => {
    const { start, addBank, cluster, secretText, valid, hashes, reasons } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    const first = secretText('api-key')
    cluster.remove(secretKind, 'bank-try-key')
    await reconcile()
    expect(secretText('api-key')).not.toBe(first)
    expect(valid()).toEqual(hashes('api-key'))
    expect(reasons()).toContain('KeySecretRemade')
  })

  test('and gave another key is taken: the new key is valid, the old one is not', async () => {
    const { start, addBank, cluster, valid, hashes, secretText } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    cluster.update(secretKind, 'bank-try-key', (secret) => ({
      ...secret,
      data: { ...secret.data, 'api-key': base64('a-key-chosen-by-hand') },
    }))
    await reconcile()
    expect(secretText('api-key')).toBe('a-key-chosen-by-hand')
    expect(valid()).toEqual(hashes('api-key'))
  })

  test.each(['short', 'with blanks in it, long enough', ''])('and spoiled (%p) gets a key anew', async (text) => {
    const { start, addBank, cluster, valid, hashes, secretText, reasons } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    cluster.update(secretKind, 'bank-try-key', (secret) => ({
      ...secret,
      data: { ...secret.data, 'api-key': base64(text) },
    }))
    await reconcile()
    expect(secretText('api-key')).toMatch(/^[\w-]{43}$/)
    expect(valid()).toEqual(hashes('api-key'))
    expect(reasons()).toContain('KeyReplaced')
  })
})

describe('the webhook secrets', () => {
  test('of all banks are in one Secret, the newest first, and the pods of the bridge are told', async () => {
    const { start, addBank, cluster, secretText, annotate } = createWorld()
    cluster.create(podKind, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bridge-0' } })
    addBank()
    addBank('other')
    const { reconcile } = start()
    await Promise.all([reconcile('try'), reconcile('other')])
    annotate({ 'bourse.dev/rotate-key': 'one' })
    await reconcile('try')
    const all = (bank: string) => secretText(bank, 'bourse-webhook-secrets')
    expect(all('try')).toBe(`${secretText('webhook-secret')}\n${secretText('previous-webhook-secret')}\n`)
    expect(all('other')).toBe(`${secretText('webhook-secret', 'bank-other-key')}\n`)
    const { resourceVersion } = cluster.get(secretKind, 'bourse-webhook-secrets')!.metadata
    expect(cluster.get(podKind, 'bridge-0')?.metadata.annotations).toEqual({
      'bourse.dev/secrets-revision': resourceVersion,
    })
  })
})

test('a slow write of the webhook secrets does not take away what another bank has put there meanwhile', async () => {
  const { start, addBank, cluster, secretText, clock } = createWorld()
  addBank()
  addBank('other')
  const { reconcile } = start()
  let isFirst = true
  cluster.setFaults({
    onRequest: ({ method, path }) => {
      const isSlow = isFirst && method === 'PATCH' && path.includes('/secrets/bourse-webhook-secrets')
      if (isSlow) isFirst = false
      return isSlow ? { fault: 'delay', delayMs: 1_000 } : null
    },
  })
  const both = [reconcile('try')]
  await clock.advance(0)
  both.push(reconcile('other'))
  await clock.advance(500)
  await clock.advance(500)
  await Promise.all(both)
  expect(isFirst).toBe(false)
  expect(secretText('try', 'bourse-webhook-secrets')).toBeDefined()
  expect(secretText('other', 'bourse-webhook-secrets')).toBeDefined()
})

describe('the callback', () => {
  test('is asked at most once a minute, and again when its URL changes', async () => {
    const { start, addBank, world, cluster, clock } = createWorld()
    addBank()
    const { reconcile } = start()
    await reconcile()
    await reconcile()
    expect(world.probes).toBe(1)
    cluster.update(bankKind, 'try', (bank) => ({
      ...bank,
      spec: { ...bank.spec, callback: { url: 'https://b.example' } },
    }))
    await reconcile()
    expect(world.probes).toBe(2)
    await clock.advance(60_000)
    await reconcile()
    expect(world.probes).toBe(3)
  })

  test('of the demo bank is looked for where the bridge calls it', async () => {
    const { start, addBank, world } = createWorld()
    addBank('demo')
    addBank()
    const asked: string[] = []
    world.probe = async (url) => {
      asked.push(url)
      return { status: 200 }
    }
    const { reconcile } = start()
    await reconcile('demo')
    await reconcile()
    expect(asked[0]).toBe('http://mock-bank:3002')
    expect(asked[1]).not.toBe(asked[0])
  })

  test('that does not answer is a condition and one event, and the bank is ready all the same', async () => {
    const { start, addBank, world, condition, reasons, clock } = createWorld()
    addBank()
    world.probe = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))
    const { reconcile } = start()
    await reconcile()
    await clock.advance(60_000)
    await reconcile()
    expect(condition('CallbackReachable')).toMatchObject({ status: 'False', reason: 'NoAnswer' })
    expect(condition('CallbackReachable')?.message).toContain('ECONNREFUSED')
    expect(condition('Ready')).toMatchObject({ status: 'True' })
    expect(reasons().filter((reason) => reason === 'CallbackUnreachable')).toHaveLength(1)
  })

  test('that hangs is given up after the time of the spec', async () => {
    const { start, addBank, world, condition, clock } = createWorld()
    addBank()
    world.probe = (_url, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    const running = start().reconcile()
    await clock.advance(0)
    await clock.advance(2_000)
    await running
    expect(condition('CallbackReachable')?.message).toContain('no answer within 2000 ms')
  })
})

test('no key and no secret is in an event, a status or a manifest', async () => {
  const { start, addBank, annotate, secretText, recorder, bank, manifests } = createWorld()
  addBank()
  const { reconcile } = start()
  await reconcile()
  annotate({ 'bourse.dev/rotate-key': 'one' })
  await reconcile()
  const said = JSON.stringify([recorder.events, bank(), [...manifests.values()]])
  for (const field of ['api-key', 'webhook-secret', 'previous-api-key', 'previous-webhook-secret']) {
    expect(said).not.toContain(secretText(field)!)
  }
})
