import type { Clock } from '@bourse/common/ports/clock.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createClientOver } from '../runtime/client.ts'
import type { Transport, TransportRequest } from '../runtime/transport.ts'
import type { AppliedObject, KubeConnection, KubeObject, ResourceKind } from '../runtime/types.ts'
import { addressOf, answerList, answerOfError, answerOne, FakeReset, lineOf, refusalOf, streamOf } from './fake-api.ts'
import type { Address, EventFault, FakeAnswer, FakeFaults, OpenWatch, RequestFault, SeenRequest } from './fake-api.ts'
import { collectionOf, createFakeObjects, Refusal } from './fake-store.ts'
import type { Change } from './fake-store.ts'

/** How many versions a stale list is behind. */
const STALE_VERSIONS = 5

/** An API server in memory with one namespace. */
export interface FakeCluster {
  readonly namespace: string
  /** A client over no network: the real client's code, the real faults. */
  readonly client: KubeConnection
  /** Another client, for instance of a second operator. */
  connect(options?: { readonly fieldManager?: string; readonly clock?: Clock }): KubeConnection
  /** Answers a request as the API server would; for a server over HTTP. Rejects for a broken connection. */
  answer(request: TransportRequest): Promise<FakeAnswer>
  /** What strikes from now on; `{}`: nothing. */
  setFaults(faults: FakeFaults): void
  /** The requests so far, oldest first. */
  readonly requests: readonly SeenRequest[]
  // What follows is done without faults, by somebody else than the operator.
  get<Type extends KubeObject>(kind: ResourceKind<Type>, name: string): Type | undefined
  list<Type extends KubeObject>(kind: ResourceKind<Type>): readonly Type[]
  /** Makes an object, with its status when given. */
  create<Type extends KubeObject>(kind: ResourceKind<Type>, object: AppliedObject): Type
  /** Writes what `change` makes of an object; any field, also the status. */
  update<Type extends KubeObject>(kind: ResourceKind<Type>, name: string, change: (object: Type) => Type): Type
  /** Asks for deletion as a user does: finalizers hold it, and a placed pod stays until `finish`. */
  remove(kind: ResourceKind<KubeObject>, name: string): void
  /** Removes for good, as a kubelet does with a pod that ended. */
  finish(kind: ResourceKind<KubeObject>, name: string): void
  /** Forgets all history: a watch from before now is 410. */
  compact(): void
  /** Ends all open watches: well (`close`), by a reset (`cut`), or by silence (`hang`). */
  endWatches(how: 'close' | 'cut' | 'hang'): void
  /** Watches that are open. */
  openWatches(): number
}

/** The watches of a fake server. */
const createWatches = (clock: Clock, faultOf: (change: Change) => EventFault | null) => {
  const open = new Set<OpenWatch>()
  const push = (watch: OpenWatch, ...lines: string[]): void => {
    if (watch.isHanging) return
    watch.pushed.push(...lines)
    watch.wake()
  }
  const hang = (watch: OpenWatch): void => void (watch.isHanging = true)
  const strike = async (watch: OpenWatch, line: string, fault: EventFault | null): Promise<void> => {
    if (fault?.fault === 'delay') await clock.sleep(fault.delayMs)
    if (fault === null || fault.fault === 'delay') return push(watch, line)
    if (fault.fault === 'error') {
      const { code, reason } = fault
      const status = { kind: 'Status', status: 'Failure', code, reason, message: reason }
      return push(watch, `${JSON.stringify({ type: 'ERROR', object: status })}\n`, 'close')
    }
    if (fault.fault === 'duplicate') return push(watch, line, line)
    if (fault.fault === 'hang') return hang(watch)
    // What is left of the kinds: an event that is dropped is told to nobody.
    if (fault.fault !== 'drop') push(watch, fault.fault)
  }
  return {
    open,
    tell(change: Change): void {
      for (const watch of open) {
        if (watch.collection !== change.collection) continue
        const line = lineOf(change, watch.selector)
        if (line === null) continue
        const fault = faultOf(change)
        watch.last = watch.last.then(() => strike(watch, line, fault))
      }
    },
    end(how: 'close' | 'cut' | 'hang'): void {
      for (const watch of open) {
        if (how === 'hang') hang(watch)
        else push(watch, how)
      }
    },
  }
}

const createAnswerer = (clock: Clock, namespace: string) => {
  const requests: SeenRequest[] = []
  let faults: FakeFaults = {}
  let compacted = 0
  const watches = createWatches(clock, (change) => faults.onEvent?.(change) ?? null)
  const objects = createFakeObjects(clock, namespace, watches.tell)

  const answerWatch = ({ collection, query }: Address, signal: AbortSignal): FakeAnswer => {
    const from = Number(query.get('resourceVersion'))
    if (from < compacted) throw new Refusal(410, 'Expired', 'too old resource version')
    const selector = query.get('labelSelector') ?? ''
    const missed = objects.history.filter((change) => change.version > from && change.collection === collection)
    const pushed = missed.flatMap((change) => lineOf(change, selector) ?? [])
    const wake = (): void => undefined
    const watch: OpenWatch = { collection, selector, pushed, wake, isHanging: false, last: Promise.resolve() }
    watches.open.add(watch)
    // Also one whose stream nobody began to read.
    signal.addEventListener('abort', () => watches.open.delete(watch), { once: true })
    const timeoutMs = Number(query.get('timeoutSeconds') ?? 300) * 1000
    const body = async function* (): AsyncGenerator<string> {
      try {
        yield* streamOf(watch, clock, { timeoutMs, version: () => objects.version, signal })
      } finally {
        watches.open.delete(watch)
      }
    }
    return { status: 200, retryAfter: null, body: body() }
  }

  const answerWell = (request: TransportRequest, isStale: boolean): FakeAnswer => {
    try {
      const address = addressOf(request.path, namespace)
      if (request.method !== 'GET' || address.name !== null) return answerOne(objects, request, address)
      if (address.query.get('watch') === 'true') return answerWatch(address, request.signal)
      return answerList(objects, address, { compacted, staleBy: isStale ? STALE_VERSIONS : 0 })
    } catch (error) {
      return answerOfError(error)
    }
  }

  const never = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      const cut = (): void => reject(new FakeReset('the request was aborted'))
      if (signal.aborted) cut()
      else signal.addEventListener('abort', cut, { once: true })
    })

  const strike = async (request: TransportRequest, fault: RequestFault | null): Promise<FakeAnswer> => {
    if (fault?.fault === 'status') return refusalOf(fault.status, fault.reason, fault.reason, fault.retryAfterSeconds)
    if (fault?.fault === 'reset') throw new FakeReset('the connection was reset')
    if (fault?.fault === 'hang') return never(request.signal)
    if (fault?.fault === 'delay') await clock.sleep(fault.delayMs, request.signal)
    const answer = answerWell(request, fault?.fault === 'stale')
    if (fault?.fault === 'lost') throw new FakeReset('the connection was reset after the request')
    return answer
  }

  return {
    requests,
    objects,
    watches,
    setFaults: (next: FakeFaults) => void (faults = next),
    compact: () => void (compacted = objects.version),
    async answer(request: TransportRequest): Promise<FakeAnswer> {
      // An answer is never there at once.
      await Promise.resolve()
      const { method, path, contentType } = request
      const seen = { method, path, contentType, isWatch: path.includes('watch=true') }
      requests.push(seen)
      return strike(request, faults.onRequest?.(seen) ?? null)
    },
  }
}

/** Makes an API server in memory, empty. With a manual clock nothing in it happens by itself. */
export const createFakeCluster = ({
  clock,
  namespace = 'bourse',
}: {
  readonly clock: Clock
  readonly namespace?: string
}): FakeCluster => {
  const { requests, objects, watches, setFaults, compact, answer } = createAnswerer(clock, namespace)
  const transport: Transport = { send: answer, close: () => undefined }
  const connect: FakeCluster['connect'] = (options = {}) =>
    createClientOver(transport, {
      namespace,
      fieldManager: options.fieldManager ?? 'bourse-operator',
      clock: options.clock ?? clock,
      metrics: createMetrics(),
    })
  const existing = (kind: ResourceKind<KubeObject>, name: string): KubeObject => {
    const object = objects.get(collectionOf(kind), name)
    if (object === undefined) throw new Error(`there is no ${kind.kind} ${name}`)
    return object
  }
  return {
    namespace,
    client: connect(),
    connect,
    answer,
    setFaults,
    requests,
    get: <Type extends KubeObject>(kind: ResourceKind<Type>, name: string) =>
      objects.get(collectionOf(kind), name) as Type | undefined,
    list: <Type extends KubeObject>(kind: ResourceKind<Type>) =>
      objects.listAt(collectionOf(kind), objects.version) as readonly Type[],
    create: <Type extends KubeObject>(kind: ResourceKind<Type>, object: AppliedObject) =>
      objects.create(collectionOf(kind), object) as Type,
    update: <Type extends KubeObject>(kind: ResourceKind<Type>, name: string, change: (object: Type) => Type) => {
      const before = existing(kind, name) as Type
      return objects.write(collectionOf(kind), before, change(before)) as Type
    },
    remove: (kind, name) => {
      const object = existing(kind, name) as KubeObject & { readonly spec?: { readonly nodeName?: string } }
      objects.remove(collectionOf(kind), object, kind.plural === 'pods' && object.spec?.nodeName !== undefined)
    },
    finish: (kind, name) => objects.finish(collectionOf(kind), existing(kind, name)),
    compact,
    endWatches: watches.end,
    openWatches: () => watches.open.size,
  }
}
