import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createControllerMetrics, runController } from './controller.ts'
import { createLeaderElector } from './leader.ts'
import type { Leadership } from './leader.ts'
import { createRecorder } from './recorder.ts'
import { createReflectorMetrics, runReflector } from './reflector.ts'
import { createStore } from './store.ts'
import type { WritableStore } from './store.ts'
import type {
  ControllerSpec,
  ControllerWatch,
  KubeConnection,
  KubeObject,
  Manager,
  ReconcileContext,
  ResourceKind,
} from './types.ts'
import { createWorkQueue, createWorkQueueMetrics } from './work-queue.ts'
import type { WorkQueue } from './work-queue.ts'

/** Reconciliations under way are waited for this long when the operator stops; then the lease is kept, to expire by itself. */
export const SHUTDOWN_GRACE_MS = 20_000
/** How often it is asked whether all stores have synced. */
const SYNC_POLL_MS = 50
/** How often gauges of work under way are written. */
const REPORT_INTERVAL_MS = 5_000

/** What a manager needs. */
export interface ManagerOptions {
  readonly client: KubeConnection
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** The pod's name. The lease bears it with eight hex digits of this process behind it. */
  readonly identity: string
  readonly leaseName: string
  /** Who reports events; default `bourse.dev/operator`. */
  readonly component?: string
}

type Change = (before: KubeObject | undefined, after: KubeObject | undefined) => void

/** A store and the reflector that will keep it. */
interface Source {
  readonly store: WritableStore<KubeObject>
  readonly listeners: Change[]
  run(signal: AbortSignal): Promise<void>
}

interface Running {
  readonly spec: ControllerSpec
  readonly queue: WorkQueue
}

/** Stores by kind and selector, each kept by one reflector. */
const createSources = ({ client, clock, random, logger, metrics }: ManagerOptions) => {
  const sources = new Map<string, Source>()
  const reflectorMetrics = createReflectorMetrics(metrics)
  let isRunning = false
  return {
    of(kind: ResourceKind<KubeObject>, labelSelector: string | undefined): Source {
      const key = `${kind.apiVersion}/${kind.plural}?${labelSelector ?? ''}`
      const known = sources.get(key)
      if (known !== undefined) return known
      if (isRunning) throw new Error(`a store of ${key} is asked for after the start`)
      const store = createStore<KubeObject>()
      const listeners: Change[] = []
      const onChange: Change = (before, after) => listeners.forEach((listener) => listener(before, after))
      const options = { source: client, kind, labelSelector, store, onChange, clock, random, logger }
      const source: Source = {
        store,
        listeners,
        run: (signal) => runReflector({ ...options, metrics: reflectorMetrics }, signal),
      }
      sources.set(key, source)
      return source
    },
    run(signal: AbortSignal): Promise<unknown> {
      isRunning = true
      return Promise.all([...sources.values()].map((source) => source.run(signal)))
    },
    areSynced: () => [...sources.values()].every(({ store }) => store.hasSynced),
  }
}

/** Keys of a change, each once; a function that throws is a bug of its controller and must not end the watch that all share. */
const keysOf = (watch: ControllerWatch, objects: readonly (KubeObject | undefined)[], logger: Logger): Set<string> => {
  const keys = new Set<string>()
  for (const object of objects) {
    if (object === undefined) continue
    try {
      for (const key of watch.keysOf(object)) keys.add(key)
    } catch (error) {
      logger.error({ error, kind: object.kind, name: object.metadata.name }, 'the keys of a change could not be found')
    }
  }
  return keys
}

type Sources = ReturnType<typeof createSources>

/** The controllers; their queues take keys only while this instance leads, and begin with every object known. */
const createControllers = ({ clock, logger, metrics }: ManagerOptions, sources: Sources) => {
  const queueMetrics = createWorkQueueMetrics(metrics)
  const controllerMetrics = createControllerMetrics(metrics)
  const controllers = new Map<string, Running>()
  let isOpen = false

  const enqueueAll = ({ spec, queue }: Running): void => {
    for (const watch of spec.watches) {
      const objects = sources.of(watch.kind, watch.labelSelector).store.list()
      for (const key of keysOf(watch, objects, logger)) queue.add(key)
    }
  }
  return {
    add(spec: ControllerSpec): void {
      if (controllers.has(spec.name)) throw new Error(`two controllers are named ${spec.name}`)
      const queue = createWorkQueue(spec.name, clock, queueMetrics)
      controllers.set(spec.name, { spec, queue })
      for (const watch of spec.watches) {
        sources.of(watch.kind, watch.labelSelector).listeners.push((before, after) => {
          if (!isOpen) return
          for (const key of keysOf(watch, [before, after], logger)) queue.add(key)
        })
      }
    },
    enqueue(controller: string, key: string, afterMs: number): void {
      const running = controllers.get(controller)
      if (running === undefined) throw new Error(`no controller is named ${controller}`)
      if (isOpen) running.queue.addAfter(key, afterMs)
    },
    report: (): void => controllers.forEach(({ queue }) => queue.report()),
    /** Runs them until the signal is aborted. Whether their work ended in time. */
    async run(context: ReconcileContext): Promise<boolean> {
      const over = Promise.withResolvers<void>()
      context.signal.addEventListener('abort', () => over.resolve(), { once: true })
      if (context.signal.aborted) over.resolve()
      const all = [...controllers.values()]
      isOpen = true
      all.forEach(enqueueAll)
      const deps = { clock, logger, metrics: controllerMetrics }
      const working = all.map(({ spec, queue }) => runController(spec, context, { queue, ...deps }))
      // A worker that ends by a bug ends the manager: half an operator would look alive.
      await Promise.race([over.promise, Promise.all(working).then(() => over.promise)])
      const patience = new AbortController()
      const drained = Promise.all([...all.map(({ queue }) => queue.close()), ...working]).then(() => true)
      const late = clock.sleep(SHUTDOWN_GRACE_MS, patience.signal).then(
        () => false,
        () => true, // Drained before.
      )
      const isDrained = await Promise.race([drained, late])
      patience.abort()
      return isDrained
    },
  }
}

/**
 * Makes a manager. Stores and controllers are added before `run`; a process runs one manager once. Nothing is enqueued
 * before this instance leads; then every object known is, so no change before that is lost.
 */
export const createManager = (options: ManagerOptions): Manager => {
  const { client, clock, random, logger, leaseName } = options
  const recorder = createRecorder({
    ...options,
    component: options.component ?? 'bourse.dev/operator',
    instance: options.identity,
  })
  const identity = `${options.identity}_${Buffer.from(random.bytes(4)).toString('hex')}`
  const sources = createSources(options)
  const controllers = createControllers(options, sources)
  const stopping = new AbortController()
  const ended = Promise.withResolvers<void>()
  let state: 'made' | 'running' | 'stopped' | 'lost' | 'failed' = 'made'
  let leadership: Leadership | null = null

  const runToEnd = async (): Promise<'stopped' | 'lost'> => {
    while (!sources.areSynced() && !stopping.signal.aborted) {
      await clock.sleep(SYNC_POLL_MS, stopping.signal).catch(() => undefined) // Stopped: the loop's condition says so.
    }
    if (stopping.signal.aborted) return 'stopped'
    const elector = createLeaderElector({ ...options, identity, leaseName })
    leadership = await elector.lead(stopping.signal)
    if (leadership === null) return 'stopped'
    const signal = AbortSignal.any([stopping.signal, leadership.signal])
    const isDrained = await controllers.run({ signal, fence: leadership.fence })
    if (leadership.signal.aborted) return 'lost'
    // Work that goes on must not meet another leader's.
    if (!isDrained) logger.error('reconciliations go on after the grace: the lease is left to expire')
    await leadership.release(isDrained ? 'give-back' : 'let-expire')
    return leadership.signal.aborted ? 'lost' : 'stopped'
  }

  const run = async (): Promise<'stopped' | 'lost'> => {
    if (state !== 'made') throw new Error('a manager runs once')
    state = 'running'
    const reflecting = new AbortController()
    const reflectors = sources.run(reflecting.signal)
    const reporting = clock.every(
      REPORT_INTERVAL_MS,
      () => controllers.report(),
      (error) => logger.error({ error }, 'gauges of queues could not be written'),
    )
    try {
      // Reflectors end only when told to; one that rejects is a bug and ends the manager.
      const failed = reflectors.then(() => Promise.reject(new Error('the reflectors ended')))
      const result = await Promise.race([runToEnd(), failed])
      state = result
      return result
    } catch (error) {
      state = 'failed'
      throw error
    } finally {
      await leadership?.release('let-expire')
      reflecting.abort(new Error('the manager stops'))
      await reporting.stop()
      await recorder.stop()
      ended.resolve()
    }
  }

  return {
    client,
    recorder,
    store(kind, { labelSelector, indexes } = {}) {
      const { store } = sources.of(kind, labelSelector)
      // One map holds the stores of all kinds; the key is the kind's own path, so this store holds this kind's type.
      const typed = store as unknown as WritableStore<NonNullable<typeof kind.type>>
      for (const [name, valuesOf] of Object.entries(indexes ?? {})) typed.addIndex(name, valuesOf)
      return typed
    },
    add(spec) {
      if (state !== 'made') throw new Error('a controller is added after the start')
      controllers.add(spec)
    },
    enqueue: (controller, key, afterMs = 0) => controllers.enqueue(controller, key, afterMs),
    isLive: () => state !== 'lost' && state !== 'failed',
    isSynced: sources.areSynced,
    isLeading: () => leadership?.isCurrent() === true,
    run,
    async stop() {
      stopping.abort(new Error('the operator stops'))
      if (state === 'made') await recorder.stop()
      else await ended.promise
    },
  }
}
