import { KubeApiError } from './types.ts'
import type { KubeObject, WatchEvent } from './types.ts'
import type { TransportResponse } from './transport.ts'

/** Longest body of one answer, in characters: a page of 500 objects of the greatest size etcd takes would be more. */
export const ANSWER_CHARACTERS_MAX = 256 * 1024 * 1024
/** Longest line of a watch: one object; etcd refuses beyond 1.5 MiB. */
export const WATCH_LINE_CHARACTERS_MAX = 8 * 1024 * 1024

/** What Kubernetes answers instead of an object. */
interface StatusObject {
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

/** `Retry-After` in seconds; a date in it is not what the API server sends and counts as none. */
const retryAfterMsOf = (header: string | null, status: StatusObject | null): number | null => {
  const seconds = header !== null && /^\d{1,6}$/u.test(header) ? Number(header) : status?.details?.retryAfterSeconds
  return typeof seconds === 'number' && seconds >= 0 ? seconds * 1000 : null
}

const statusOf = (text: string): StatusObject | null => {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : null
  } catch {
    return null // A proxy's page, or an answer that was cut: the HTTP status says enough.
  }
}

/** What was asked, for messages: never a query, a header or a body. `hidesText`: the server's text may hold a secret. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly hidesText: boolean
}

const textOf = ({ hidesText }: Asked, message: string | undefined): string =>
  hidesText || message === undefined ? '' : `: ${message.slice(0, 500)}`

/** The error for an answer that is not 2xx. */
export const errorOfAnswer = (asked: Asked, status: number, retryAfter: string | null, text: string): KubeApiError => {
  const told = statusOf(text)
  const reason = typeof told?.reason === 'string' && told.reason !== '' ? told.reason : `Http${status}`
  return new KubeApiError(`${asked.method} ${asked.path}: ${status} ${reason}${textOf(asked, told?.message)}`, {
    status,
    reason,
    retryAfterMs: retryAfterMsOf(retryAfter, told),
  })
}

/** The error for no answer, or one that was cut. */
export const errorOfSilence = (asked: Asked, reason: string, cause: unknown): KubeApiError =>
  new KubeApiError(`${asked.method} ${asked.path}: ${reason}`, { status: 0, reason }, { cause })

/** The whole body. */
export const textOfAnswer = async (asked: Asked, { body }: TransportResponse): Promise<string> => {
  const parts: string[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > ANSWER_CHARACTERS_MAX) throw errorOfSilence(asked, 'AnswerTooLong', undefined)
    parts.push(part)
  }
  return parts.join('')
}

async function* linesOf(asked: Asked, body: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const part of body) {
    const lines = (rest + part).split('\n')
    rest = lines.pop()!
    if (rest.length > WATCH_LINE_CHARACTERS_MAX) throw errorOfSilence(asked, 'LineTooLong', undefined)
    for (const line of lines) if (line !== '') yield line
  }
}

const eventOf = <Type extends KubeObject>(asked: Asked, line: string): WatchEvent<Type> => {
  let event: { readonly type?: string; readonly object?: Type & StatusObject }
  try {
    event = JSON.parse(line) as typeof event
  } catch (error) {
    throw errorOfSilence(asked, 'BadLine', error)
  }
  const { type, object } = event
  if (type === 'ERROR') throw errorOfAnswer(asked, object?.code ?? 500, null, JSON.stringify(object ?? {}))
  const version = object?.metadata.resourceVersion
  if (object === undefined || version === undefined) throw errorOfSilence(asked, 'BadLine', undefined)
  if (type === 'BOOKMARK') return { type, resourceVersion: version }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object }
  throw errorOfSilence(asked, 'BadLine', undefined)
}

/** The events of a watch's answer; every way in which it can break is a {@link KubeApiError}. */
export async function* eventsOfAnswer<Type extends KubeObject>(
  asked: Asked,
  { body }: TransportResponse,
): AsyncGenerator<WatchEvent<Type>> {
  try {
    for await (const line of linesOf(asked, body)) yield eventOf<Type>(asked, line)
  } catch (error) {
    throw error instanceof KubeApiError ? error : errorOfSilence(asked, 'StreamBroken', error)
  }
}
