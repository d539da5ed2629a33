/** The words of the runtime: objects of the API server, and what a controller is given and gives. */

/** An owner of an object; the API server removes what it owned with it. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Metadata as the API server gives it. `resourceVersion` is opaque: compare for equality only. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  /** Counts changes of the spec; absent on kinds without one. */
  readonly generation?: number
  /** RFC 3339. */
  readonly creationTimestamp?: string
  /** Present once deletion was asked for; finalizers keep the object until they are gone. */
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

/** An object as the API server's JSON has it; times stay texts. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A kind of objects and where they are found. `Type` is the JSON of one object. */
export interface ResourceKind<Type extends KubeObject> {
  /** `apps/v1`, `v1`, `bourse.dev/v1alpha1`. */
  readonly apiVersion: string
  readonly kind: string
  /** As in the URL: `statefulsets`. */
  readonly plural: string
  /** Of the whole cluster, not of a namespace: reading them takes a ClusterRole. */
  readonly isClusterScoped?: true
  /** Carries the type only. */
  readonly type?: Type
}

/** What is applied: only the fields that this operator owns, never `status`, `resourceVersion` or `managedFields`. */
export interface AppliedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Partial<Omit<ObjectMeta, 'name'>> & { readonly name: string }
  readonly [field: string]: unknown
}

/**
 * The API server did not do what was asked.
 * `status` is HTTP's (0: no answer came), `reason` Kubernetes' own (`AlreadyExists` and `Conflict` are both 409).
 */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError'
  readonly status: number
  readonly reason: string
  /** From `Retry-After`, ms; null without one. */
  readonly retryAfterMs: number | null
  constructor(
    message: string,
    details: { readonly status: number; readonly reason: string; readonly retryAfterMs?: number | null },
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.status = details.status
    this.reason = details.reason
    this.retryAfterMs = details.retryAfterMs ?? null
  }
}

/** One operation of an RFC 6902 patch. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test'
  readonly path: string
  readonly value?: unknown
}

/** What may be asked of the API server about the objects of one namespace. All reject with {@link KubeApiError}. */
export interface KubeClient {
  readonly namespace: string
  /** Null when there is none of this name. */
  get<Type extends KubeObject>(kind: ResourceKind<Type>, name: string): Promise<Type | null>
  /** The whole list, page by page. */
  list<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    options?: { readonly labelSelector?: string },
  ): Promise<{ readonly items: readonly Type[]; readonly resourceVersion: string }>
  create<Type extends KubeObject>(kind: ResourceKind<Type>, object: AppliedObject): Promise<Type>
  /** Server-side apply with this operator's one field manager, forced. */
  apply<Type extends KubeObject>(kind: ResourceKind<Type>, object: AppliedObject): Promise<Type>
  /** The same for the status subresource. */
  applyStatus<Type extends KubeObject>(kind: ResourceKind<Type>, object: AppliedObject): Promise<Type>
  patch<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    name: string,
    operations: readonly JsonPatchOperation[],
  ): Promise<Type>
  /** Replaces; `metadata.resourceVersion` of the object must be the current one, else 409 `Conflict`. */
  replace<Type extends KubeObject>(kind: ResourceKind<Type>, object: Type): Promise<Type>
  /** Resolves also when there is none any more. With a uid: only that one (409 when another bears the name now). */
  delete<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    name: string,
    options?: { readonly uid?: string; readonly gracePeriodSeconds?: number },
  ): Promise<void>
}

/** One page of a list. All pages of one list show the same moment. */
export interface ListPage<Type extends KubeObject> {
  readonly items: readonly Type[]
  readonly resourceVersion: string
  /** For the next page; null after the last. It expires (410) like a resource version does. */
  readonly continueToken: string | null
}

/** What a watch tells. An `ERROR` in the stream becomes a {@link KubeApiError}. */
export type WatchEvent<Type extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Type }
  /** Nothing changed up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

/** Lists by pages and watches: what a reflector lives on. All reject, and streams end, with {@link KubeApiError}. */
export interface WatchSource {
  listPage<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    options: { readonly labelSelector?: string | undefined; readonly continueToken?: string | null },
  ): Promise<ListPage<Type>>
  /**
   * What changed after a resource version. Resolves once the server began to answer. The stream ends when the server
   * closes it, which it does after `timeoutSeconds`; `signal` cuts it.
   */
  watch<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    options: {
      readonly labelSelector?: string | undefined
      readonly resourceVersion: string
      readonly timeoutSeconds: number
    },
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent<Type>>>
}

/** A client with everything, over one kept pool of connections. */
export interface KubeConnection extends KubeClient, WatchSource {
  /** Closes the pool; requests under way fail. */
  close(): void
}

/** What is known of the objects of one kind, kept current by a reflector; may be behind the API server. */
export interface Store<Type extends KubeObject> {
  get(name: string): Type | undefined
  list(): readonly Type[]
  /** Objects with this value under an index that the store was made with. */
  by(index: string, value: string): readonly Type[]
  /** Whether a whole list was read since the start. */
  readonly hasSynced: boolean
}

/** What a reconciliation asks for: come again after this long, or nothing more until something changes. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number
}

/** Trying again is of no use until the object changes: counted and logged, not repeated. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}

/** Whose changes put which keys into a controller's queue. */
export interface ControllerWatch {
  /** The stores of all watches have synced before the first reconciliation. */
  readonly kind: ResourceKind<KubeObject>
  readonly labelSelector?: string
  /** Keys (names) that a change of this object concerns; called with the object before and after where they are known. */
  readonly keysOf: (object: KubeObject) => readonly string[]
}

/** A controller: level-triggered, one key at a time per key. Throws to be asked again with growing pauses. */
export interface ControllerSpec {
  readonly name: string
  readonly watches: readonly ControllerWatch[]
  readonly workers: number
  readonly reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>
}

/** What a reconciliation is told beside its key. */
export interface ReconcileContext {
  /** Aborted when leadership is lost or the operator stops: begin nothing new then. */
  readonly signal: AbortSignal
  /** The leader's epoch: the lease's transitions, rising with every change of leader. Outside effects carry it. */
  readonly fence: number
}

/** `True` is good for every condition but those that say so. */
export type ConditionStatus = 'True' | 'False' | 'Unknown'

/** A condition with the standard fields. */
export interface Condition {
  readonly type: string
  readonly status: ConditionStatus
  /** CamelCase, stable. */
  readonly reason: string
  readonly message: string
  /** RFC 3339, of the last change of `status`. */
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

/** Writes events about objects; repeats of one event within a while are counted, not written anew. Never rejects. */
export interface Recorder {
  event(
    about: KubeObject,
    event: {
      readonly type: 'Normal' | 'Warning'
      /** CamelCase, stable; docs/operations/conditions-and-events.md has them all. */
      readonly reason: string
      /** What was being done: `Scale`, `Move`, `Rotate`. */
      readonly action: string
      readonly note: string
    },
  ): void
}

/** The runtime's manager: reflectors, leadership, controllers, in this order; stops them in reverse. */
export interface Manager {
  readonly client: KubeClient
  readonly recorder: Recorder
  /** A store kept current from the start on, whether leading or not. The same kind and selector give the same store. */
  store<Type extends KubeObject>(
    kind: ResourceKind<Type>,
    options?: {
      readonly labelSelector?: string
      /** Index name → values under which an object is found. */
      readonly indexes?: Readonly<Record<string, (object: Type) => readonly string[]>>
    },
  ): Store<Type>
  /** Controllers run only while this instance leads. */
  add(controller: ControllerSpec): void
  /** Puts a key into a controller's queue, at once or later. */
  enqueue(controller: string, key: string, afterMs?: number): void
  /** Whether the process is worth keeping: false once leadership was lost or the manager failed. */
  isLive(): boolean
  /** Whether every store has synced. */
  isSynced(): boolean
  isLeading(): boolean
  /** Starts; resolves when `stop` was called or leadership was lost (then the process must end: `lost`). */
  run(): Promise<'stopped' | 'lost'>
  stop(): Promise<void>
}
