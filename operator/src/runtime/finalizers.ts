import { KubeApiError } from './types.ts'
import type { KubeClient, KubeObject, ResourceKind } from './types.ts'

/** How often a write that lost to another is tried again with what is there now. */
export const FINALIZER_ATTEMPTS_MAX = 4

/** A failed `test` of a JSON patch is 422; 409 when the object changed while the patch was applied. */
const isLostRace = (error: unknown): boolean =>
  error instanceof KubeApiError && (error.status === 409 || error.status === 422)

/**
 * Writes a new list of finalizers on the very version it was made from, so that one that another set meanwhile is never
 * lost. `change` gives null when there is nothing to do. Null when the object is gone.
 */
const changeFinalizers = async <Type extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<Type>,
  object: Type,
  change: (now: Type) => readonly string[] | null,
): Promise<Type | null> => {
  let now: Type | null = object
  for (let attempt = 1; ; attempt++) {
    const finalizers = change(now)
    if (finalizers === null) return now
    try {
      return await client.patch(kind, now.metadata.name, [
        { op: 'test', path: '/metadata/uid', value: object.metadata.uid },
        { op: 'test', path: '/metadata/resourceVersion', value: now.metadata.resourceVersion },
        { op: 'add', path: '/metadata/finalizers', value: finalizers },
      ])
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return null
      if (!isLostRace(error) || attempt === FINALIZER_ATTEMPTS_MAX) throw error
    }
    now = await client.get(kind, object.metadata.name)
    if (now === null || now.metadata.uid !== object.metadata.uid) return null
  }
}

/**
 * Puts a finalizer on the object and gives the object as it is then; null when it is gone. One that is being deleted
 * takes no new finalizer and comes back as it is.
 */
export const ensureFinalizer = <Type extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<Type>,
  object: Type,
  name: string,
): Promise<Type | null> =>
  changeFinalizers(client, kind, object, ({ metadata }) => {
    const finalizers = metadata.finalizers ?? []
    return finalizers.includes(name) || metadata.deletionTimestamp !== undefined ? null : [...finalizers, name]
  })

/** Takes a finalizer off; the object may be gone with that (the last known is given) or before (null). */
export const dropFinalizer = <Type extends KubeObject>(
  client: KubeClient,
  kind: ResourceKind<Type>,
  object: Type,
  name: string,
): Promise<Type | null> =>
  changeFinalizers(client, kind, object, ({ metadata }) => {
    const finalizers = metadata.finalizers ?? []
    return finalizers.includes(name) ? finalizers.filter((other) => other !== name) : null
  })
