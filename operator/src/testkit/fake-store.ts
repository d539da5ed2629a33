import type { Clock } from '@bourse/common/ports/clock.ts'
import { secondTimeOf } from '../runtime/times.ts'
import type { AppliedObject, KubeObject, ResourceKind } from '../runtime/types.ts'
import { isEqualJson, mergeApplied } from './fake-json.ts'
import type { Json } from './fake-json.ts'

/** Where the objects of a kind are: `apps/v1/statefulsets`. */
export const collectionOf = ({ apiVersion, plural }: Pick<ResourceKind<KubeObject>, 'apiVersion' | 'plural'>): string =>
  `${apiVersion}/${plural}`

/** A change, as watches tell it. */
export interface Change {
  readonly version: number
  readonly collection: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
  readonly before: KubeObject | null
}

/** A request that the API server refuses. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message = reason) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

/** The parts of an object that count as its spec: everything but metadata and status. */
const specPartOf = ({
  metadata: _metadata,
  status: _status,
  ...rest
}: KubeObject & { readonly status?: unknown }): Json => ({
  ...rest,
})

/** The objects of an API server with their whole history. */
export interface FakeObjects {
  readonly version: number
  /** Everything that changed, oldest first. */
  readonly history: readonly Change[]
  get(collection: string, name: string): KubeObject | undefined
  /** The objects as they were at a version. */
  listAt(collection: string, version: number): readonly KubeObject[]
  create(collection: string, object: AppliedObject): KubeObject
  /** Writes a changed object: refuses a stale resourceVersion, counts the generation, ends a deletion without finalizers. */
  write(collection: string, before: KubeObject, changed: KubeObject): KubeObject
  apply(collection: string, object: AppliedObject, manager: string, subresource: 'status' | null): KubeObject
  /** Asks for deletion: `isLinger` keeps the object (a pod whose kubelet has not ended it) until `finish`. */
  remove(collection: string, object: KubeObject, isLinger: boolean): void
  /** Removes for good, whatever finalizers there are. */
  finish(collection: string, object: KubeObject): void
}

/** Makes an empty store. `onChange` is called after each change. */
export const createFakeObjects = (clock: Clock, namespace: string, onChange: (change: Change) => void): FakeObjects => {
  const objects = new Map<string, Map<string, KubeObject>>()
  const applied = new Map<string, Json>()
  const history: Change[] = []
  let version = 1
  let uids = 0

  const of = (collection: string): Map<string, KubeObject> => {
    const known = objects.get(collection) ?? new Map<string, KubeObject>()
    objects.set(collection, known)
    return known
  }
  const tell = (collection: string, type: Change['type'], given: KubeObject, before: KubeObject | null): KubeObject => {
    version += 1
    const object = { ...given, metadata: { ...given.metadata, resourceVersion: String(version) } }
    if (type === 'DELETED') of(collection).delete(object.metadata.name)
    else of(collection).set(object.metadata.name, object)
    const change = { version, collection, type, object, before }
    history.push(change)
    onChange(change)
    return object
  }
  const finish = (collection: string, object: KubeObject): void => {
    tell(collection, 'DELETED', object, object)
    for (const key of applied.keys()) if (key.startsWith(`${object.metadata.uid} `)) applied.delete(key)
    // The garbage collector: dependents without another owner that lives.
    for (const [dependents, byName] of objects) {
      for (const dependent of [...byName.values()]) {
        const owners = dependent.metadata.ownerReferences ?? []
        if (!owners.some(({ uid }) => uid === object.metadata.uid)) continue
        const isOwned = owners.some(({ uid }) =>
          [...objects.values()].some((all) => [...all.values()].some((one) => one.metadata.uid === uid)),
        )
        if (!isOwned) remove(dependents, dependent, false)
      }
    }
  }
  const remove = (collection: string, object: KubeObject, isLinger: boolean): void => {
    if (object.metadata.deletionTimestamp !== undefined) return
    if (!isLinger && (object.metadata.finalizers ?? []).length === 0) return finish(collection, object)
    const generation = (object.metadata.generation ?? 0) + 1
    const metadata = { ...object.metadata, generation, deletionTimestamp: secondTimeOf(clock.nowMs()) }
    tell(collection, 'MODIFIED', { ...object, metadata }, object)
  }
  const create = (collection: string, object: AppliedObject): KubeObject => {
    const { name } = object.metadata
    if (of(collection).has(name)) throw new Refusal(409, 'AlreadyExists', `${name} already exists`)
    const metadata = {
      ...object.metadata,
      namespace,
      uid: `uid-${++uids}`,
      resourceVersion: '',
      creationTimestamp: secondTimeOf(clock.nowMs()),
      generation: 1,
    }
    return tell(collection, 'ADDED', { ...structuredClone(object), metadata }, null)
  }
  const write = (collection: string, before: KubeObject, changed: KubeObject): KubeObject => {
    const { resourceVersion, uid } = changed.metadata
    if (uid !== before.metadata.uid) throw new Refusal(409, 'Conflict', 'another uid')
    if (resourceVersion !== before.metadata.resourceVersion)
      throw new Refusal(409, 'Conflict', 'the object was changed')
    if (isEqualJson(before, changed)) return before
    const isSpecChange = !isEqualJson(specPartOf(before), specPartOf(changed))
    const generation = (before.metadata.generation ?? 1) + (isSpecChange ? 1 : 0)
    const object = structuredClone({ ...changed, metadata: { ...changed.metadata, generation } })
    const isOver = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0
    const hadFinalizers = (before.metadata.finalizers ?? []).length > 0
    if (!isOver || !hadFinalizers) return tell(collection, 'MODIFIED', object, before)
    finish(collection, object)
    return object
  }
  const apply = (
    collection: string,
    object: AppliedObject,
    manager: string,
    subresource: 'status' | null,
  ): KubeObject => {
    const before = of(collection).get(object.metadata.name)
    const { status, ...main } = object
    if (before === undefined) {
      if (subresource === 'status') throw new Refusal(404, 'NotFound')
      const created = create(collection, main)
      applied.set(`${created.metadata.uid} ${manager} main`, main)
      return created
    }
    const { resourceVersion, uid } = object.metadata
    if (uid !== undefined && uid !== before.metadata.uid) throw new Refusal(409, 'Conflict', 'another uid')
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
      throw new Refusal(409, 'Conflict')
    const key = `${before.metadata.uid} ${manager} ${subresource ?? 'main'}`
    const now: Json = subresource === 'status' ? { status } : { ...main }
    const merged = mergeApplied(before as unknown as Json, now, applied.get(key) ?? {}) as unknown as KubeObject
    applied.set(key, now)
    return write(collection, before, { ...merged, apiVersion: before.apiVersion, kind: before.kind })
  }
  const listAt = (collection: string, at: number): readonly KubeObject[] => {
    if (at >= version) return [...of(collection).values()]
    const then = new Map<string, KubeObject>()
    for (const change of history) {
      if (change.version > at || change.collection !== collection) continue
      if (change.type === 'DELETED') then.delete(change.object.metadata.name)
      else then.set(change.object.metadata.name, change.object)
    }
    return [...then.values()]
  }
  return {
    get version() {
      return version
    },
    history,
    get: (collection, name) => of(collection).get(name),
    listAt,
    create,
    write,
    apply,
    remove,
    finish,
  }
}
