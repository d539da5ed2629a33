import type { ValidateFunction } from 'ajv'
import { JsonError, parseJson } from '@bourse/common/json/parse.ts'
import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { createAjv } from '../http/validate.ts'
import { object } from '../http/schemas.ts'
import type { Schema } from '../http/route.ts'

/** What a client may send. */
export type ClientMessage =
  | { readonly op: 'subscribe'; readonly channels: readonly string[]; readonly after?: { readonly trades?: number } }
  | { readonly op: 'unsubscribe'; readonly channels: readonly string[] }
  | { readonly op: 'ping' }

/** A channel that exists. */
export type Channel = { readonly kind: 'prices'; readonly asset: string } | { readonly kind: 'trades' }

const CHANNELS_MAX = 64

const channels: Schema = {
  type: 'array',
  minItems: 1,
  maxItems: CHANNELS_MAX,
  items: { type: 'string', maxLength: 64 },
}
const sequence: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

const messageSchema: Schema = {
  type: 'object',
  discriminator: { propertyName: 'op' },
  oneOf: [
    object({ op: { const: 'subscribe' }, channels, after: object({ trades: sequence }, ['trades']) }, ['after']),
    object({ op: { const: 'unsubscribe' }, channels }),
    object({ op: { const: 'ping' } }),
  ],
}

/** Why a message was refused, in words for its sender. */
export interface MessageRefusal {
  readonly errorCode: RefusalCode
  readonly message: string
}

/** Reads a client's message, or says what is wrong with it. */
export const createMessageReader = (): ((text: string) => ClientMessage | MessageRefusal) => {
  const ajv = createAjv(false)
  const validate: ValidateFunction = ajv.compile(messageSchema)
  return (text) => {
    try {
      const { value } = parseJson(text)
      if (validate(value)) return value as unknown as ClientMessage
      return { errorCode: 'VALIDATION_ERROR', message: ajv.errorsText(validate.errors, { dataVar: 'message' }) }
    } catch (error) {
      if (error instanceof JsonError)
        return { errorCode: 'VALIDATION_ERROR', message: error.message.replace('the body', 'the message') }
      throw error
    }
  }
}

/** The channel of a name; null when there is none of that form. */
export const channelOf = (name: string): Channel | null => {
  if (name === 'trades') return { kind: 'trades' }
  return name.startsWith('prices:') ? { kind: 'prices', asset: name.slice('prices:'.length) } : null
}
