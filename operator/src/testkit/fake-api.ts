import type { Clock } from '@bourse/common/ports/clock.ts'
import type { TransportRequest } from '../runtime/transport.ts'
import type { AppliedObject, JsonPatchOperation, KubeObject } from '../runtime/types.ts'
import { applyJsonPatch, isSelected, PatchFailure } from './fake-json.ts'
import { Refusal } from './fake-store.ts'
import type { Change, FakeObjects } from './fake-store.ts'

/** What strikes a request. `lost`: it is done, and the answer does not come. `stale`: a list shows an older moment. */
export type RequestFault =
  | { readonly fault: 'status'; readonly status: number; readonly reason: string; readonly retryAfterSeconds?: number }
  | { readonly fault: 'reset' | 'lost' | 'stale' | 'hang' }
  | { readonly fault: 'delay'; readonly delayMs: number }

/** What strikes an event on its way to one watch. `error`: an ERROR with this code; `hang`: silence from here on. */
export type EventFault =
  | { readonly fault: 'drop' | 'duplicate' | 'cut' | 'hang' | 'close' }
  | { readonly fault: 'delay'; readonly delayMs: number }
  | { readonly fault: 'error'; readonly code: number; readonly reason: string }

/** What a request is, for faults and for tests that count them. */
export interface SeenRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly isWatch: boolean
  readonly contentType: string | undefined
}

/** Decides what strikes; null: nothing. */
export interface FakeFaults {
  readonly onRequest?: (request: SeenRequest) => RequestFault | null
  readonly onEvent?: (change: Change) => EventFault | null
}

/** An answer; a body that throws is a connection that breaks. */
export interface FakeAnswer {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: AsyncIterable<string>
}

/** A bookmark goes to every quiet watch this often, as the API server's do. */
export const BOOKMARK_INTERVAL_MS = 60_000

/** A connection that broke. */
export class FakeReset extends Error {
  override readonly name = 'FakeReset'
  readonly code = 'ECONNRESET'
}

/** A watch that is open at the fake server. */
export interface OpenWatch {
  readonly collection: string
  readonly selector: string
  /** Given lines, or what ends the stream: `close` well, `cut` badly. */
  readonly pushed: (string | 'close' | 'cut')[]
  wake(): void
  isHanging: boolean
  /** Later events wait for those before them. */
  last: Promise<void>
}

/** One value as a body. */
export async function* bodyOf(value: unknown): AsyncGenerator<string> {
  await Promise.resolve()
  yield JSON.stringify(value)
}

/** A refusal as Kubernetes words it. */
export const refusalOf = (status: number, reason: string, message: string, retryAfterSeconds?: number): FakeAnswer => ({
  status,
  retryAfter: retryAfterSeconds === undefined ? null : String(retryAfterSeconds),
  body: bodyOf({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message }),
})

const ok = (value: unknown, status = 200): FakeAnswer => ({ status, retryAfter: null, body: bodyOf(value) })

/** A path and query, taken apart. */
export interface Address {
  readonly collection: string
  readonly name: string | null
  readonly subresource: string | null
  readonly query: URLSearchParams
}

/** Nodes are the cluster's own; all else is in a namespace. */
const PLACE = String.raw`(?:namespaces\/(?<namespace>[^/]+)\/(?!nodes)|(?=nodes))`
const PATH = new RegExp(
  String.raw`^\/(?:api|apis)\/(?<version>.+?)\/${PLACE}(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<sub>[^/]+))?$`,
  'u',
)

/** Where a request goes; refuses another namespace, as a Role would. */
export const addressOf = (path: string, namespace: string): Address => {
  const url = new URL(path, 'http://fake')
  const groups = PATH.exec(url.pathname)?.groups
  if (groups === undefined) throw new Refusal(404, 'NotFound', 'no such path')
  if (groups['plural'] !== 'nodes' && groups['namespace'] !== namespace)
    throw new Refusal(403, 'Forbidden', 'another namespace')
  const { name, sub } = groups
  return {
    collection: `${groups['version']}/${groups['plural']}`,
    name: name === undefined ? null : decodeURIComponent(name),
    subresource: sub ?? null,
    query: url.searchParams,
  }
}

const statusPartOf = (object: KubeObject): object => ('status' in object ? { status: object.status } : {})

/** With subresources, a write of the main resource leaves the status, and one of the status leaves all else. */
const writtenOf = (before: KubeObject, given: KubeObject, subresource: string | null): KubeObject => {
  if (subresource === 'status') return { ...before, ...statusPartOf(given), metadata: given.metadata }
  const { status: _status, ...main } = given as KubeObject & { status?: unknown }
  return { ...main, ...statusPartOf(before) }
}

/** Metadata of a status write counts for its resourceVersion and uid alone. */
const keptMetadata = (before: KubeObject, written: KubeObject): KubeObject => {
  const { resourceVersion, uid } = written.metadata
  return { ...written, metadata: { ...before.metadata, resourceVersion, uid } }
}

/** Writes, and reads of one object. */
export const answerOne = (
  objects: FakeObjects,
  { method, contentType, body }: TransportRequest,
  { collection, name, subresource, query }: Address,
): FakeAnswer => {
  const content: unknown = body === undefined ? {} : JSON.parse(body)
  if (name === null) {
    const { status: _status, ...main } = content as AppliedObject
    return ok(objects.create(collection, main), 201)
  }
  const before = objects.get(collection, name)
  if (contentType === 'application/apply-patch+yaml') {
    const manager = query.get('fieldManager')
    if (manager === null) throw new Refusal(400, 'BadRequest', 'fieldManager is required for apply patch')
    const isStatus = subresource === 'status'
    return ok(objects.apply(collection, content as AppliedObject, manager, isStatus ? 'status' : null))
  }
  if (before === undefined) throw new Refusal(404, 'NotFound', `${name} not found`)
  if (method === 'GET') return ok(before)
  if (method === 'DELETE') {
    const { preconditions, gracePeriodSeconds } = content as {
      preconditions?: { uid?: string }
      gracePeriodSeconds?: number
    }
    const uid = preconditions?.uid
    if (uid !== undefined && uid !== before.metadata.uid) throw new Refusal(409, 'Conflict', 'the UID does not match')
    // A pod on a node ends when its kubelet says so.
    const isPlaced =
      collection === 'v1/pods' && (before as { spec?: { nodeName?: string } }).spec?.nodeName !== undefined
    objects.remove(collection, before, isPlaced && gracePeriodSeconds !== 0)
    return ok(before)
  }
  const given = method === 'PUT' ? (content as KubeObject) : applyJsonPatch(before, content as JsonPatchOperation[])
  const written = writtenOf(before, given, subresource)
  return ok(objects.write(collection, before, subresource === 'status' ? keptMetadata(before, written) : written))
}

const selectorOf = (query: URLSearchParams): string => query.get('labelSelector') ?? ''

/** Whether an object is among those asked for. */
export const isAmong = (object: KubeObject, selector: string): boolean =>
  isSelected(object.metadata.labels ?? {}, selector)

/** A page of a list; `compacted`: versions before it are gone. */
export const answerList = (
  objects: FakeObjects,
  { collection, query }: Address,
  { compacted, staleBy }: { readonly compacted: number; readonly staleBy: number },
): FakeAnswer => {
  const [at, skipped] = (query.get('continue') ?? `${Math.max(1, objects.version - staleBy)}:0`).split(':').map(Number)
  if (at === undefined || skipped === undefined) throw new Refusal(400, 'BadRequest', 'a broken continue token')
  if (at < compacted && query.has('continue')) throw new Refusal(410, 'Expired', 'the continue token is too old')
  const limit = Number(query.get('limit') ?? 0)
  const all = objects.listAt(collection, at).filter((object) => isAmong(object, selectorOf(query)))
  const end = limit === 0 ? all.length : skipped + limit
  const items = all.slice(skipped, end).map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item)
  const metadata = { resourceVersion: String(at), ...(end < all.length ? { continue: `${at}:${end}` } : {}) }
  return ok({ kind: 'List', apiVersion: 'v1', metadata, items })
}

/** The line of a change for a watch with a selector: changes into and out of it are additions and deletions; null: none. */
export const lineOf = ({ type, object, before }: Change, selector: string): string | null => {
  const isIn = type !== 'DELETED' && isAmong(object, selector)
  const wasIn = before !== null && isAmong(before, selector)
  if (!isIn && !wasIn) return null
  const seen = isIn ? (wasIn ? 'MODIFIED' : 'ADDED') : 'DELETED'
  const told =
    type !== 'DELETED' && seen === 'DELETED'
      ? { ...before!, metadata: { ...before!.metadata, resourceVersion: object.metadata.resourceVersion } }
      : object
  return `${JSON.stringify({ type: seen, object: told })}\n`
}

/** The stream of a watch; `clock` rings its bookmarks and its end. */
export async function* streamOf(
  watch: OpenWatch,
  clock: Clock,
  options: { readonly timeoutMs: number; readonly version: () => number; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const endMs = clock.monotonicMs() + options.timeoutMs
  for (;;) {
    const line = watch.pushed.shift()
    if (line === 'close') return
    if (line === 'cut') throw new FakeReset('the connection was reset')
    if (line !== undefined) {
      yield line
      continue
    }
    if (options.signal.aborted) throw new FakeReset('the request was aborted')
    const leftMs = endMs - clock.monotonicMs()
    if (leftMs <= 0 && !watch.isHanging) return
    const woken = new AbortController()
    watch.wake = () => woken.abort()
    const pauseMs = watch.isHanging ? BOOKMARK_INTERVAL_MS : Math.min(leftMs, BOOKMARK_INTERVAL_MS)
    const isQuiet = await clock.sleep(pauseMs, AbortSignal.any([woken.signal, options.signal])).then(
      () => true,
      () => false,
    )
    if (!isQuiet || watch.isHanging || watch.pushed.length > 0) continue
    const metadata = { resourceVersion: String(options.version()) }
    yield `${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`
  }
}

/** Turns what was thrown into the answer it stands for. */
export const answerOfError = (error: unknown): FakeAnswer => {
  if (error instanceof Refusal) return refusalOf(error.status, error.reason, error.message)
  if (error instanceof PatchFailure) return refusalOf(422, 'Invalid', error.message)
  throw error
}
