import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { errorOfAnswer, errorOfSilence, eventsOfAnswer, textOfAnswer } from './answers.ts'
import type { Asked } from './answers.ts'
import { createTransport } from './transport.ts'
import type { Transport, TransportResponse } from './transport.ts'
import { KubeApiError } from './types.ts'
import type { AppliedObject, KubeConnection, KubeObject, ListPage, ResourceKind } from './types.ts'

/** A request and its answer take no longer than this; a watch has this long until it begins to answer. */
export const REQUEST_TIMEOUT_MS = 30_000
/** Objects of one page of a list. */
export const LIST_PAGE_LIMIT = 500
/** How often a list begins anew because its pages expired while they were read. */
export const LIST_ATTEMPTS_MAX = 3

const JSON_TYPE = 'application/json'
const APPLY_TYPE = 'application/apply-patch+yaml'
const PATCH_TYPE = 'application/json-patch+json'

/** What a client needs. */
export interface KubeClientOptions {
  readonly namespace: string
  /** Owner of the fields that are applied; one name for all of an operator. */
  readonly fieldManager: string
  readonly clock: Clock
  readonly metrics: Metrics
  readonly requestTimeoutMs?: number
}

interface Call {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly contentType?: string
  readonly content?: unknown
  readonly hidesText: boolean
}

const queryOf = (query: Call['query']): string => {
  const given = Object.entries(query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

const isSuccess = ({ status }: TransportResponse): boolean => status >= 200 && status < 300

/** Sends calls over a transport with a time limit, and counts them. */
const createCaller = (transport: Transport, { clock, metrics, requestTimeoutMs }: KubeClientOptions) => {
  const timeoutMs = requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  const requests = metrics.counter('rest_client_requests_total')

  const send = async (call: Call, signal: AbortSignal): Promise<TransportResponse> => {
    const { method, path, query, contentType, content } = call
    const response = await transport.send({
      method,
      path: `${path}${queryOf(query)}`,
      signal,
      ...(content === undefined ? {} : { body: JSON.stringify(content), contentType: contentType ?? JSON_TYPE }),
    })
    requests.inc({ code: String(response.status), method })
    return response
  }

  /**
   * Runs `work` with a signal that is aborted when the time is over; `cut` is the caller's own. The answer of
   * `work` may outlive this call (a watch): the signal it got stays tied to `cut`.
   */
  const withinTime = async <Result>(
    asked: Asked,
    cut: AbortSignal | null,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> => {
    const timeout = new AbortController()
    const done = new AbortController()
    const signal = cut === null ? timeout.signal : AbortSignal.any([timeout.signal, cut])
    const expiry = clock.sleep(timeoutMs, done.signal).then(
      () => timeout.abort(new Error('no answer in time')),
      () => undefined, // Done before its time.
    )
    try {
      return await work(signal)
    } catch (error) {
      if (error instanceof KubeApiError) throw error
      requests.inc({ code: '<error>', method: asked.method })
      throw errorOfSilence(asked, timeout.signal.aborted ? 'Timeout' : 'NoAnswer', error)
    } finally {
      done.abort()
      await expiry
    }
  }

  /** The parsed body of a 2xx answer. */
  const json = <Result>(call: Call): Promise<Result> =>
    withinTime(call, null, async (signal) => {
      const response = await send(call, signal)
      const text = await textOfAnswer(call, response)
      if (!isSuccess(response)) throw errorOfAnswer(call, response.status, response.retryAfter, text)
      return JSON.parse(text) as Result
    })

  /** A 2xx answer whose body is still coming. */
  const open = (call: Call, cut: AbortSignal): Promise<TransportResponse> =>
    withinTime(call, cut, async (signal) => {
      const response = await send(call, signal)
      if (isSuccess(response)) return response
      throw errorOfAnswer(call, response.status, response.retryAfter, await textOfAnswer(call, response))
    })

  return { json, open }
}

/** Null instead of 404. */
const orNull = async <Result>(answer: Promise<Result>): Promise<Result | null> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 404) return null
    throw error
  }
}

interface ListAnswer<Type> {
  readonly items?: readonly Type[] | null
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
}

type Caller = ReturnType<typeof createCaller>
type PathOf = (kind: ResourceKind<KubeObject>, name?: string, subresource?: string) => Pick<Call, 'path' | 'hidesText'>

/** Items of a list come without their kind; controllers and owner references need it. */
const withKind = <Type extends KubeObject>({ apiVersion, kind }: ResourceKind<Type>, item: Type): Type => ({
  ...item,
  apiVersion,
  kind,
})

const readingOf = (caller: Caller, pathOf: PathOf): Pick<KubeConnection, 'get' | 'listPage' | 'list' | 'watch'> => {
  const listPage: KubeConnection['listPage'] = async <Type extends KubeObject>(
    kind: ResourceKind<Type>,
    { labelSelector, continueToken }: { labelSelector?: string | undefined; continueToken?: string | null },
  ): Promise<ListPage<Type>> => {
    const query = { limit: String(LIST_PAGE_LIMIT), labelSelector, continue: continueToken ?? undefined }
    const answer = await caller.json<ListAnswer<Type>>({ method: 'GET', ...pathOf(kind), query })
    const { resourceVersion, continue: next } = answer.metadata
    const items = (answer.items ?? []).map((item) => withKind(kind, item))
    return { items, resourceVersion, continueToken: next === undefined || next === '' ? null : next }
  }
  const listOnce = async <Type extends KubeObject>(kind: ResourceKind<Type>, labelSelector: string | undefined) => {
    const items: Type[] = []
    let continueToken: string | null = null
    for (;;) {
      const page: ListPage<Type> = await listPage(kind, { labelSelector, continueToken })
      items.push(...page.items)
      if (page.continueToken === null) return { items, resourceVersion: page.resourceVersion }
      continueToken = page.continueToken
    }
  }
  return {
    listPage,
    get: (kind, name) => orNull(caller.json({ method: 'GET', ...pathOf(kind, name) })),
    async list(kind, options) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await listOnce(kind, options?.labelSelector)
        } catch (error) {
          const hasExpired = error instanceof KubeApiError && error.status === 410
          if (!hasExpired || attempt === LIST_ATTEMPTS_MAX) throw error
        }
      }
    },
    async watch(kind, { labelSelector, resourceVersion, timeoutSeconds }, signal) {
      const query = {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion,
        timeoutSeconds: String(timeoutSeconds),
        labelSelector,
      }
      const call = { method: 'GET', ...pathOf(kind), query }
      return eventsOfAnswer(call, await caller.open(call, signal))
    },
  }
}

const writingOf = (
  caller: Caller,
  pathOf: PathOf,
  fieldManager: string,
): Omit<KubeConnection, 'namespace' | 'close' | 'get' | 'listPage' | 'list' | 'watch'> => {
  const apply = <Type extends KubeObject>(
    kind: ResourceKind<Type>,
    content: AppliedObject,
    subresource?: string,
  ): Promise<Type> =>
    caller.json({
      method: 'PATCH',
      ...pathOf(kind, content.metadata.name, subresource),
      query: { fieldManager, force: 'true' },
      contentType: APPLY_TYPE,
      content,
    })
  const query = { fieldManager }
  return {
    apply: (kind, object) => apply(kind, object),
    applyStatus: (kind, object) => apply(kind, object, 'status'),
    create: (kind, content) => caller.json({ method: 'POST', ...pathOf(kind), query, content }),
    patch: (kind, name, content) =>
      caller.json({ method: 'PATCH', ...pathOf(kind, name), query, contentType: PATCH_TYPE, content }),
    replace: (kind, content) => caller.json({ method: 'PUT', ...pathOf(kind, content.metadata.name), query, content }),
    async delete(kind, name, options = {}) {
      const { uid, gracePeriodSeconds } = options
      const content = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      }
      await orNull(caller.json({ method: 'DELETE', ...pathOf(kind, name), content }))
    },
  }
}

/** A client over any transport. Of the answers about secrets no text reaches an error. */
export const createClientOver = (transport: Transport, options: KubeClientOptions): KubeConnection => {
  const { namespace, fieldManager } = options
  const caller = createCaller(transport, options)
  const pathOf: PathOf = ({ apiVersion, plural, isClusterScoped }, name, subresource) => {
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const place = isClusterScoped === true ? '' : `/namespaces/${encodeURIComponent(namespace)}`
    const parts = [name, subresource].filter((part) => part !== undefined).map((part) => `/${encodeURIComponent(part)}`)
    return {
      path: `${group}${place}/${plural}${parts.join('')}`,
      hidesText: plural === 'secrets',
    }
  }
  return {
    namespace,
    ...readingOf(caller, pathOf),
    ...writingOf(caller, pathOf, fieldManager),
    close: () => transport.close(),
  }
}

/** The client of a process: one pool of connections, TLS and authorisation by the kube config (default: as kubectl). */
export const createKubeClient = ({
  kubeConfig,
  ...options
}: KubeClientOptions & { readonly kubeConfig?: KubeConfig }): KubeConnection =>
  createClientOver(createTransport(kubeConfig), options)
