import { pino } from 'pino'
import type { BankKeyRecord, ManifestRecord } from '@bourse/common/ports/directory.ts'
import type { ViewQuery } from '@bourse/common/ports/views.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createBankController } from '../../src/bank/controller.ts'
import type { BankControllerDeps } from '../../src/bank/controller.ts'
import { keyHashOf } from '../../src/bank/key-ring.ts'
import { BANK_LABEL } from '../../src/bank/names.ts'
import type { BankResource } from '../../src/resources/bank.ts'
import { bankKind } from '../../src/resources/kinds.ts'
import { podKind, secretKind } from '../../src/runtime/kinds.ts'
import type { KubeObject, ReconcileContext, ReconcileResult, ResourceKind, Store } from '../../src/runtime/types.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import { createFakeRecorder } from '../../src/testkit/fake-recorder.ts'
import { smallBank } from '../resources/broken-manifests.ts'

/** Stops a controller at a call as a crash does; `after`: the call was done, its answer never came. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

/** Where a controller dies: at its nth call outside, before or after it was carried out. */
export interface CrashPoint {
  readonly call: number
  readonly when: 'before' | 'after'
}

const START_MS = Date.UTC(2026, 0, 1)

/** The directory, as far as banks go, with fences. */
const createMemoryDirectory = () => {
  const keys = new Map<string, BankKeyRecord>()
  const manifests = new Map<string, ManifestRecord>()
  const fences = new Map<string, number>()
  const isFenced = (name: string, fence: number): boolean => {
    if (fence < (fences.get(name) ?? 0)) return true
    fences.set(name, fence)
    return false
  }
  const directory: BankControllerDeps['directory'] = {
    putManifest: async (record) => {
      if (isFenced(record.name, record.fence)) return 'fenced'
      manifests.set(record.name, record)
      return 'stored'
    },
    removeManifest: async (_kind, name, fence) => {
      if (isFenced(name, fence)) return 'fenced'
      manifests.delete(name)
      return 'removed'
    },
    manifests: async () => [...manifests.values()],
    putBankKey: async (key) => void keys.set(key.keyHash, key),
    removeBankKey: async (keyHash) => void keys.delete(keyHash),
    bankKeys: async () => [...keys.values()],
  }
  return { keys, manifests, directory }
}

/** Counts calls and dies at the crash point. */
const mortal = <Target extends object>(target: Target, calls: { count: number }, crash: CrashPoint | null): Target =>
  new Proxy(target, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name)
      if (typeof member !== 'function') return member
      return async (...given: unknown[]): Promise<unknown> => {
        const isHere = ++calls.count === crash?.call
        if (isHere && crash.when === 'before') throw new Crash('before the call')
        const answer: unknown = await (member as (...values: unknown[]) => unknown).apply(object, given)
        if (isHere) throw new Crash('after the call')
        return answer
      }
    },
  })

/** A cluster in memory with banks, and controllers over it that may crash. */
export const createWorld = () => {
  const clock = createManualClock(START_MS)
  const random = createSeededRandom(7)
  const cluster = createFakeCluster({ clock })
  const recorder = createFakeRecorder()
  const { keys, manifests, directory } = createMemoryDirectory()
  const world = {
    open: new Map<string, number>(),
    queries: [] as ViewQuery[],
    /** The moment up to which the bridge's views are complete; null: up to now. */
    viewsAsOfMs: null as number | null,
    probe: (async () => ({ status: 404 })) as BankControllerDeps['probe'],
    probes: 0,
  }
  const storeOf = <Type extends KubeObject>(
    kind: ResourceKind<Type>,
    isIn: (object: Type) => boolean,
  ): Store<Type> => ({
    get: (name) => [cluster.get(kind, name)].find((object) => object !== undefined && isIn(object)),
    list: () => cluster.list(kind).filter(isIn),
    by: () => [],
    hasSynced: true,
  })
  const stores = {
    banks: storeOf(bankKind, () => true),
    keySecrets: storeOf(secretKind, ({ metadata }) => metadata.labels?.[BANK_LABEL] !== undefined),
    bridgePods: storeOf(podKind, () => true),
  }
  const find = async (_model: unknown, query: ViewQuery): Promise<never[]> => {
    world.queries.push(query)
    return Array.from({ length: world.open.get(String(query.filter['bank'])) ?? 0 }, () => ({})) as never[]
  }

  const get = async (): Promise<never> => ({ viewsAsOfMs: world.viewsAsOfMs ?? clock.nowMs() }) as never

  /** A controller of its own memory; it dies at the crash point. */
  const start = (crash: CrashPoint | null = null, fence = 1) => {
    const calls = { count: 0 }
    const controller = createBankController({
      client: mortal(cluster.client, calls, crash),
      recorder,
      stores,
      directory: mortal(directory, calls, crash),
      views: { find, get },
      bridgePartitions: 2,
      demoCallbackUrl: 'http://mock-bank:3002',
      clock,
      random,
      probe: (url, options) => {
        world.probes += 1
        return world.probe(url, options)
      },
      logger: pino({ level: 'silent' }),
      metrics: createMetrics(),
      webhookSecretsName: 'bourse-webhook-secrets',
    })
    const context: ReconcileContext = { signal: new AbortController().signal, fence }
    return {
      calls,
      controller,
      reconcile: (name = 'try'): Promise<ReconcileResult> => controller.reconcile(name, context),
    }
  }

  const addBank = (name = 'try', spec: Record<string, unknown> = {}): BankResource =>
    cluster.create(bankKind, {
      apiVersion: 'bourse.dev/v1alpha1',
      kind: 'Bank',
      metadata: { name },
      spec: { ...(smallBank['spec'] as object), ...spec },
    })
  const secretText = (field: string, name = 'bank-try-key'): string | undefined => {
    const value = cluster.get(secretKind, name)?.data?.[field]
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8')
  }
  /** Keys that a gateway would take now, by hash. */
  const valid = (): string[] =>
    [...keys.values()]
      .filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > clock.nowMs())
      .map((key) => key.keyHash)
  const hashes = (...fields: string[]): string[] => fields.map((field) => keyHashOf(secretText(field) ?? ''))
  const annotate = (annotations: Record<string, string>): void =>
    void cluster.update(bankKind, 'try', (bank) => ({ ...bank, metadata: { ...bank.metadata, annotations } }))
  const bank = (name = 'try'): BankResource | undefined => cluster.get(bankKind, name)
  const condition = (type: string) => bank()?.status?.conditions?.find((one) => one.type === type)
  const reasons = (): string[] => recorder.events.map(({ reason }) => reason)
  return {
    world,
    clock,
    cluster,
    recorder,
    keys,
    manifests,
    start,
    addBank,
    secretText,
    valid,
    hashes,
    annotate,
    bank,
    condition,
    reasons,
  }
}
