import type { ParameterSchema, Schema } from './route.ts'

/** Pieces of schemas that several rooms share. */

/** An amount or price in a request: decimal string (exact, preferred) or JSON number, read from its source text. */
export const amountInput: Schema = {
  title: 'AmountInput',
  description:
    'A decimal string such as "100.00" (preferred) or a JSON number, read from its source text: ' +
    'at most 20 digits, 8 of them decimals.',
  type: ['string', 'number'],
  maxLength: 64,
  examples: ['100.00'],
}

/** As `amountInput`, or null for none. */
export const optionalAmountInput: Schema = {
  ...amountInput,
  title: 'OptionalAmountInput',
  type: ['string', 'number', 'null'],
}

/** An amount or price in an answer. */
export const decimal: Schema = {
  title: 'Decimal',
  description: 'A decimal string.',
  type: 'string',
  pattern: '^-?\\d+(\\.\\d+)?$',
}

/** As `decimal`, or null. */
export const optionalDecimal: Schema = { ...decimal, title: 'OptionalDecimal', type: ['string', 'null'] }

/** A moment in an answer. */
export const moment: Schema = { type: 'string', format: 'date-time' }

/** A UUID in its text form, either case. */
export const uuid: Schema = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  description: 'A UUID.',
}

/** Text without control characters, at most `maxLength`. */
export const line = (maxLength: number, description?: string): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern: '^[^\\u0000-\\u001f\\u007f]+$',
  ...(description === undefined ? {} : { description }),
})

/** A closed object. `optional` names those that may be absent. */
export const object = (
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
  title?: string,
): Schema => ({
  ...(title === undefined ? {} : { title }),
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
})

/** A list. */
export const list = (items: Schema): Schema => ({ type: 'array', items })

/** `{success: true, data}`. */
export const success = (data: Schema): Schema => object({ success: { const: true }, data })

/** A refusal of every route but the engine's. */
export const refusalSchema: Schema = object(
  {
    success: { const: false },
    errorCode: { type: 'string' },
    message: { type: 'string' },
  },
  [],
  'Refusal',
)

/** Header of calls that must carry an idempotency key. */
export const requiredKeyHeader: ParameterSchema = {
  type: 'object',
  properties: { 'x-idempotency-key': { ...uuid, description: 'A UUID; repeating it never does anything twice.' } },
  required: ['x-idempotency-key'],
}

/** Header of calls that may carry an idempotency key. */
export const optionalKeyHeader: ParameterSchema = { type: 'object', properties: requiredKeyHeader.properties }

/** Query of a page. */
export const pageQuery = {
  cursor: { type: 'string', minLength: 1, maxLength: 512, description: '`nextCursor` of the page before.' },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
} as const satisfies Readonly<Record<string, Schema>>

/** Parameters, closed: an unknown one is refused. */
export const parameters = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): ParameterSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
