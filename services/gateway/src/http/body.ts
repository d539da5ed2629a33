import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { JsonError, parseJson, type JsonDocument } from '@bourse/common/json/parse.ts'
import { ApiError, invalid } from './api-error.ts'

/** Of a body over the limit this many limits are read and thrown away, so that its sender gets to see the refusal. */
const DISCARDED_LIMITS_MAX = 16

/** What came of reading a body: its bytes, or null when there were more than allowed and whether the rest was read. */
type Read = { readonly bytes: Buffer } | { readonly bytes: null; readonly isWhole: boolean }

/**
 * Reads a body to its end by the stream's own events: half the cost of a general body parser, which this edge does not need
 * for one content type. What is over the limit is read on without being kept, up to a bound.
 */
const read = (request: IncomingMessage, bytesMax: number): Promise<Read> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const end = (): void => {
      const isOver = bytes > bytesMax
      if (isOver) resolve({ bytes: null, isWhole: true })
      else resolve({ bytes: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) })
    }
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else if (bytes > bytesMax * DISCARDED_LIMITS_MAX) {
        request.off('data', take).off('end', end).pause()
        resolve({ bytes: null, isWhole: false })
      }
    }
    request.on('data', take)
    request.on('end', end)
    request.on('error', () => {
      reject(invalid('the request could not be read; send it whole, as JSON'))
    })
  })

/** Whether a request has a JSON body, by its headers. */
const isJson = (context: Context): boolean =>
  // The usual form, told without the general parser of media types.
  (context.req.headers['content-type'] === 'application/json' && context.req.headers['content-length'] !== undefined) ||
  context.request.is('application/json') === 'application/json'

/**
 * Reads and parses the JSON body of a request.
 * @throws {ApiError} `PAYLOAD_TOO_LARGE`, or `VALIDATION_ERROR` naming what is wrong
 */
export const readBody = async (context: Context, limitBytes: number): Promise<JsonDocument> => {
  const encoding = context.req.headers['content-encoding']
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity')
    throw invalid('content-encoding is not accepted; send the body as it is')
  if (!isJson(context)) throw invalid('the content-type must be application/json; send the fields as a JSON object')
  const body = await read(context.req, limitBytes)
  if (body.bytes === null) {
    if (!body.isWhole) context.res.setHeader('connection', 'close')
    throw new ApiError('PAYLOAD_TOO_LARGE', `the body has more than ${limitBytes} bytes; send less`)
  }
  if (body.bytes.length === 0) throw invalid('the body is empty; send a JSON object')
  if (!isUtf8(body.bytes)) throw invalid('the body is not UTF-8; send JSON as UTF-8')
  try {
    return parseJson(body.bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof JsonError) throw invalid(error.message)
    throw error
  }
}
