/** Codes of this client's own, beside those of the API (`errorCode`): what happened when there was no answer to read. */
export const clientCodes = {
  /** No answer, or not in time: whether the server did the work is not known. */
  UNREACHABLE: 'UNREACHABLE',
  /** An answer that is none of the API's: a proxy's page, a cut body. Whether the work was done is not known either. */
  UNREADABLE: 'UNREADABLE',
} as const

/** What a refusal says besides its words. */
export interface RefusalParts {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** The API's `errorCode`, or one of `clientCodes`. */
  readonly code: string
  readonly message: string
  /** Seconds after which trying again makes sense, as the server said; null when it did not. */
  readonly retryAfterSeconds?: number | null
  /** The server's `x-request-id`: what its operators find the call by. */
  readonly requestId?: string | null
  /** The key the call carried: a repeat with it never does anything twice. */
  readonly idempotencyKey?: string | null
  readonly cause?: unknown
}

/** Every call that did not succeed throws this. The message is the server's own and names the remedy. */
export class BourseRefusal extends Error {
  override readonly name = 'BourseRefusal'
  readonly status: number
  readonly code: string
  readonly retryAfterSeconds: number | null
  readonly requestId: string | null
  readonly idempotencyKey: string | null
  constructor(parts: RefusalParts) {
    super(parts.message, { cause: parts.cause })
    this.status = parts.status
    this.code = parts.code
    this.retryAfterSeconds = parts.retryAfterSeconds ?? null
    this.requestId = parts.requestId ?? null
    this.idempotencyKey = parts.idempotencyKey ?? null
  }

  /** Whether it is unknown what became of the call: only a repeat with the same key finds out. */
  get isUnknown(): boolean {
    return this.code === clientCodes.UNREACHABLE || this.code === clientCodes.UNREADABLE
  }
}

const textOf = (value: unknown, name: string): string | null => {
  if (typeof value !== 'object' || value === null) return null
  const found = (value as Readonly<Record<string, unknown>>)[name]
  return typeof found === 'string' ? found : null
}

/** `Retry-After` in seconds (RFC 9110: a number of them, or a date, which this API never sends). */
const retryAfterOf = (headers: Headers): number | null => {
  const text = headers.get('retry-after')
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null
}

/** The refusal an answer says, in either envelope; `UNREADABLE` when its body is no refusal of the API. */
export const refusalOfAnswer = (
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  body: unknown,
  idempotencyKey: string | null = null,
): BourseRefusal => {
  const engine =
    typeof body === 'object' && body !== null ? (body as Record<string, unknown>)['engineResponse'] : undefined
  const code = textOf(body, 'errorCode') ?? textOf(engine, 'errorCode')
  const message = textOf(body, 'message') ?? textOf(engine, 'message')
  const frame = {
    status,
    retryAfterSeconds: retryAfterOf(headers),
    requestId: headers.get('x-request-id'),
    idempotencyKey,
  }
  if (code !== null) return new BourseRefusal({ ...frame, code, message: message ?? code })
  return unreadable(frame)
}

/** The refusal of an answer that cannot be read. */
export const unreadable = (
  frame: Pick<RefusalParts, 'status' | 'retryAfterSeconds' | 'requestId' | 'idempotencyKey' | 'cause'>,
): BourseRefusal =>
  new BourseRefusal({
    ...frame,
    code: clientCodes.UNREADABLE,
    message: `the answer (status ${frame.status}) is not one of the API; something between here and the server wrote it`,
  })

/** The refusal of a call that had no answer. */
export const unreachable = (message: string, idempotencyKey: string | null, cause?: unknown): BourseRefusal =>
  new BourseRefusal({ status: 0, code: clientCodes.UNREACHABLE, message, idempotencyKey, cause })
