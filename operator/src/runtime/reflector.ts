import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createBackoff, jitterOf } from './backoff.ts'
import { KubeApiError } from './types.ts'
import type { KubeObject, ResourceKind, WatchEvent, WatchSource } from './types.ts'
import type { WritableStore } from './store.ts'

/** The server ends a watch after this to twice this long. */
export const WATCH_SECONDS_MIN = 300
/** A watch without even a bookmark for this long is taken for dead; the server sends one a minute. */
export const WATCH_IDLE_MS_MAX = 90_000
/** Pauses after failures. */
export const RETRY_PAUSE = { firstMs: 800, maxMs: 30_000 } as const
/** A watch that ended sooner and without an event is a failure: else a server that closes at once would be asked without end. */
export const WATCH_MS_MIN = 1_000
/** Even without a failure everything is listed anew after this to twice this long: what a watch missed is found then. */
export const RELIST_MS = 600_000

/** Series of all reflectors of a process. */
export interface ReflectorMetrics {
  watchEnded(kind: string, reason: string): void
  listed(kind: string): void
  missed(kind: string, changes: number): void
}

/** Makes the series; once per registry. */
export const createReflectorMetrics = (metrics: Metrics): ReflectorMetrics => {
  const restarts = metrics.counter('bourse_operator_watch_restarts_total')
  const lists = metrics.counter('bourse_operator_relists_total')
  const missed = metrics.counter('bourse_operator_missed_events_total')
  return {
    watchEnded: (kind, reason) => restarts.inc({ kind, reason }),
    listed: (kind) => {
      lists.inc({ kind })
      missed.inc({ kind }, 0)
    },
    missed: (kind, changes) => missed.inc({ kind }, changes),
  }
}

/** What a reflector needs. */
export interface ReflectorOptions<Type extends KubeObject> {
  readonly source: WatchSource
  readonly kind: ResourceKind<Type>
  readonly labelSelector?: string | undefined
  readonly store: WritableStore<Type>
  /** Called after the store has it; must not throw. Another uid under the same name comes as a deletion and an addition. */
  readonly onChange: (before: Type | undefined, after: Type | undefined) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: ReflectorMetrics
}

/** `managedFields` is most of many objects, and no controller reads it. */
const withoutManagedFields = <Type extends KubeObject>(object: Type): Type => {
  if (!('managedFields' in object.metadata)) return object
  const { managedFields: _, ...metadata } = object.metadata as Type['metadata'] & { managedFields: unknown }
  return { ...object, metadata }
}

/** Brings changes into the store and tells them, each once. */
const createApplier = <Type extends KubeObject>({ store, onChange }: ReflectorOptions<Type>) => {
  /** Whether it was news. */
  const put = (given: Type): boolean => {
    const before = store.get(given.metadata.name)
    const isSame = before?.metadata.uid === given.metadata.uid
    if (isSame && before.metadata.resourceVersion === given.metadata.resourceVersion) return false
    const object = withoutManagedFields(given)
    store.put(object)
    if (before !== undefined && !isSame) {
      onChange(before, undefined)
      onChange(undefined, object)
    } else onChange(before, object)
    return true
  }
  /** The deletion of another uid than the one that is known is old news: the name was taken again. */
  const remove = (last: Type): boolean => {
    const known = store.get(last.metadata.name)
    if (known === undefined || known.metadata.uid !== last.metadata.uid) return false
    store.remove(last.metadata.name)
    onChange(withoutManagedFields(last), undefined)
    return true
  }
  return { put, remove }
}

const isExpired = (error: unknown): boolean => error instanceof KubeApiError && error.status === 410

const reasonOf = (error: unknown): string => (error instanceof KubeApiError ? error.reason : 'Bug')

/** Reads events until the stream ends; rejects when it is silent for too long. */
async function* withWatchdog<Event>(clock: Clock, events: AsyncIterable<Event>): AsyncGenerator<Event> {
  const iterator = events[Symbol.asyncIterator]()
  for (;;) {
    const heard = new AbortController()
    const silence = clock.sleep(WATCH_IDLE_MS_MAX, heard.signal).then(
      () => 'silent' as const,
      () => 'heard' as const,
    )
    const next = iterator.next()
    // When silence wins, the stream is cut and its read rejects with nobody waiting for it any more.
    next.catch(() => undefined)
    try {
      const result = await Promise.race([next, silence])
      if (result === 'silent') throw new KubeApiError('a watch fell silent', { status: 0, reason: 'Silent' })
      if (result === 'heard' || result.done === true) return
      yield result.value
    } finally {
      heard.abort(new Error('heard'))
    }
  }
}

/**
 * Keeps a store equal to the server's objects of one kind until `signal` is aborted: a whole list, then what changes.
 * One loop owns the store; a stream that was given up is cut and never read again, so it cannot write any more.
 */
export const runReflector = async <Type extends KubeObject>(
  options: ReflectorOptions<Type>,
  signal: AbortSignal,
): Promise<void> => {
  const { source, kind, labelSelector, store, clock, random, logger, metrics } = options
  const { put, remove } = createApplier(options)
  const backoff = createBackoff(random, RETRY_PAUSE)
  let resourceVersion = ''
  let relistAtMs = -Infinity

  const list = async (): Promise<void> => {
    const items: Type[] = []
    let continueToken: string | null = null
    do {
      const page: Awaited<ReturnType<typeof source.listPage<Type>>> = await source.listPage(kind, {
        labelSelector,
        continueToken,
      })
      items.push(...page.items)
      resourceVersion = page.resourceVersion
      continueToken = page.continueToken
    } while (continueToken !== null)
    if (signal.aborted) return
    const names = new Set(items.map(({ metadata }) => metadata.name))
    let changes = 0
    // The last that is known of an object that went unseen may be older than what it was in the end.
    for (const known of store.list()) if (!names.has(known.metadata.name) && remove(known)) changes += 1
    for (const item of items) if (put(item)) changes += 1
    if (store.hasSynced) metrics.missed(kind.kind, changes)
    metrics.listed(kind.kind)
    store.markSynced()
    relistAtMs = clock.monotonicMs() + RELIST_MS * jitterOf(random, 1)
  }

  const apply = (event: WatchEvent<Type>): void => {
    if (event.type === 'BOOKMARK') {
      resourceVersion = event.resourceVersion
      return
    }
    if (event.type === 'DELETED') remove(event.object)
    else put(event.object)
    resourceVersion = event.object.metadata.resourceVersion
  }

  /** One watch, to its end. Whether it was of use. */
  const watch = async (): Promise<boolean> => {
    const startMs = clock.monotonicMs()
    const given = new AbortController()
    const cut = AbortSignal.any([signal, given.signal])
    const timeoutSeconds = Math.floor(WATCH_SECONDS_MIN * jitterOf(random, 1))
    let told = 0
    try {
      const events = await source.watch(kind, { labelSelector, resourceVersion, timeoutSeconds }, cut)
      for await (const event of withWatchdog(clock, events)) {
        if (signal.aborted) break
        apply(event)
        told += 1
        if (told === 1) backoff.reset()
      }
    } finally {
      given.abort(new Error('this watch is over'))
    }
    return told > 0 || clock.monotonicMs() - startMs >= WATCH_MS_MIN
  }

  /** One list or one watch; how long to pause after it. */
  const step = async (): Promise<number> => {
    const isWatching = clock.monotonicMs() < relistAtMs
    try {
      if (!isWatching) {
        await list()
        return 0
      }
      const wasOfUse = await watch()
      metrics.watchEnded(kind.kind, 'Closed')
      if (wasOfUse) backoff.reset()
      return wasOfUse ? 0 : backoff.next()
    } catch (error) {
      if (signal.aborted) return 0
      if (isWatching) metrics.watchEnded(kind.kind, reasonOf(error))
      if (isExpired(error)) relistAtMs = -Infinity
      else logger.warn({ error, kind: kind.kind, isWatching }, 'a list or watch failed, and is tried again')
      const askedMs = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0
      return Math.max(backoff.next(), askedMs)
    }
  }

  while (!signal.aborted) {
    const pauseMs = await step()
    if (pauseMs > 0 && !signal.aborted) await clock.sleep(pauseMs, signal).catch(() => undefined) // The loop ends.
  }
}
