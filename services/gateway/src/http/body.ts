import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { koaBody } from 'koa-body'
import type { Context, Middleware } from 'koa'
import { JsonError, parseJson, type JsonDocument } from '@bourse/common/json/parse.ts'
import { ApiError, invalid } from './api-error.ts'

/** Of a body over the limit this many limits are read and thrown away, so that its sender gets to see the refusal. */
const DISCARDED_LIMITS_MAX = 16

/**
 * Reads a body as text: bytes are kept one to one (`binary`) so that the text is checked here: a broken sequence is an error and
 * not a replacement character.
 */
export const createBodyReader = (limitBytes: number): Middleware =>
  koaBody({
    json: false,
    urlencoded: false,
    multipart: false,
    text: true,
    textTypes: ['application/json'],
    textLimit: limitBytes,
    encoding: 'binary',
    patchNode: false,
    patchKoa: true,
  })

const discard = async (request: IncomingMessage, bytesMax: number): Promise<boolean> => {
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) return false
  }
  return true
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && (error as Error & { readonly type?: unknown }).type === 'entity.too.large'

const NOTHING_AFTER = (): Promise<void> => Promise.resolve()

/** Whether a request has a JSON body, by its headers. */
const isJson = (context: Context): boolean =>
  // The usual form, told without the general parser of media types.
  (context.req.headers['content-type'] === 'application/json' && context.req.headers['content-length'] !== undefined) ||
  context.request.is('application/json') === 'application/json'

/** The text of bytes that stand one to one in `raw`. */
const textOf = (raw: string): string => {
  // ASCII alone takes as many bytes as characters: then there is nothing to decode.
  if (Buffer.byteLength(raw, 'utf8') === raw.length) return raw
  const bytes = Buffer.from(raw, 'binary')
  if (!isUtf8(bytes)) throw invalid('the body is not UTF-8; send JSON as UTF-8')
  return bytes.toString('utf8')
}

/**
 * Reads and parses the JSON body of a request.
 * @throws {ApiError} `PAYLOAD_TOO_LARGE`, or `VALIDATION_ERROR` naming what is wrong
 */
export const readBody = async (context: Context, read: Middleware, limitBytes: number): Promise<JsonDocument> => {
  const encoding = context.req.headers['content-encoding']
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity')
    throw invalid('content-encoding is not accepted; send the body as it is')
  if (!isJson(context)) throw invalid('the content-type must be application/json; send the fields as a JSON object')
  try {
    await read(context, NOTHING_AFTER)
  } catch (error) {
    if (!isTooLarge(error)) throw error
    if (!(await discard(context.req, limitBytes * DISCARDED_LIMITS_MAX))) context.res.setHeader('connection', 'close')
    throw new ApiError('PAYLOAD_TOO_LARGE', `the body has more than ${limitBytes} bytes; send less`)
  }
  const raw: unknown = context.request.body
  if (typeof raw !== 'string' || raw === '') throw invalid('the body is empty; send a JSON object')
  try {
    return parseJson(textOf(raw))
  } catch (error) {
    if (error instanceof JsonError) throw invalid(error.message)
    throw error
  }
}
