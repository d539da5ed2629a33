import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import { engineRefusalSchema, engineSpec } from '../engine/specs.ts'
import type { AnswerSpec, ParameterSchema, RouteSpec, Security } from '../http/route.ts'
import { amountInput, decimal, optionalAmountInput, optionalDecimal, refusalSchema } from '../http/schemas.ts'

type Json = { [key: string]: unknown }

/** Refusals that every route can have: what is sent may be wrong, late or too much, and something may break. */
const EVERY_REFUSAL: readonly RefusalCode[] = ['VALIDATION_ERROR', 'REQUEST_TIMEOUT', 'RATE_LIMITED', 'INTERNAL_ERROR']
/** What routes of a security can have besides: the stores that know who calls, and keep an administrator's act, may be away. */
const SECURITY_REFUSALS: Readonly<Record<Security, readonly RefusalCode[]>> = {
  none: [],
  session: ['UNAUTHENTICATED', 'UNAVAILABLE'],
  bank: ['UNAUTHENTICATED', 'FORBIDDEN', 'BANK_SUSPENDED', 'UNAVAILABLE'],
  admin: ['UNAUTHENTICATED', 'UNAVAILABLE'],
}
const BODY_REFUSALS: readonly RefusalCode[] = ['PAYLOAD_TOO_LARGE']

const SECURITY_SCHEMES: Readonly<Record<Exclude<Security, 'none'>, Json>> = {
  session: { type: 'apiKey', in: 'cookie', name: 'authToken', description: 'Made by signing in.' },
  bank: { type: 'apiKey', in: 'header', name: 'x-api-key', description: "The bank's key." },
  admin: { type: 'http', scheme: 'bearer', description: 'The administration token.' },
}

/** Schemas with a title become components; everything else stays in place. */
const createComponents = () => {
  const schemas: Record<string, unknown> = {}
  const convert = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(convert)
    if (typeof node !== 'object' || node === null) return node
    const { title, ...rest } = node as Json
    const converted = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, convert(value)]))
    if (typeof title !== 'string') return converted
    const known = schemas[title]
    // A piece that says more (a description of its own) stays in place: one name, one schema.
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(converted)) return converted
    schemas[title] = converted
    return { $ref: `#/components/schemas/${title}` }
  }
  return { schemas, convert }
}

const parametersOf = (
  convert: (node: unknown) => unknown,
  place: 'path' | 'query' | 'header',
  schema: ParameterSchema | undefined,
): unknown[] =>
  Object.entries(schema?.properties ?? {}).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: schema?.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema: convert(property),
  }))

const answersOf = (convert: (node: unknown) => unknown, answers: Readonly<Record<number, AnswerSpec>>): Json =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, contentTypes = ['application/json'], schema }]) => [
      status,
      {
        description,
        content: Object.fromEntries(
          contentTypes.map((type) => [
            type,
            type === 'application/json' && schema !== undefined
              ? { schema: convert(schema) }
              : { schema: { type: 'string' } },
          ]),
        ),
      },
    ]),
  )

const refusalsOf = (convert: (node: unknown) => unknown, spec: RouteSpec): Json => {
  const ofBody = spec.body === undefined ? [] : BODY_REFUSALS
  const codes = [...EVERY_REFUSAL, ...SECURITY_REFUSALS[spec.security], ...ofBody, ...spec.refusals]
  const byStatus = new Map<number, RefusalCode[]>()
  for (const code of new Set(codes))
    byStatus.set(httpStatusOf[code], [...(byStatus.get(httpStatusOf[code]) ?? []), code])
  const schema = convert(spec.path === engineSpec.path ? engineRefusalSchema : refusalSchema)
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, names]) => [
        status,
        {
          description: names.join(', '),
          content: { 'application/json': { schema } },
        },
      ]),
  )
}

const operationOf = (convert: (node: unknown) => unknown, spec: RouteSpec): Json => ({
  operationId: spec.operationId,
  tags: [spec.tag],
  summary: spec.summary,
  ...(spec.description === undefined ? {} : { description: spec.description }),
  ...(spec.security === 'none' ? {} : { security: [{ [spec.security]: [] }] }),
  parameters: [
    ...parametersOf(convert, 'path', spec.params),
    ...parametersOf(convert, 'query', spec.query),
    ...parametersOf(convert, 'header', spec.headers),
  ],
  ...(spec.body === undefined
    ? {}
    : { requestBody: { required: true, content: { 'application/json': { schema: convert(spec.body) } } } }),
  // Where an answer and a refusal share a status (503 of /readyz), the answer is the more exact.
  responses: { ...refusalsOf(convert, spec), ...answersOf(convert, spec.answers) },
})

const DESCRIPTION = [
  'Trading (CFDs) for traders, crypto for banks, and administration.',
  'Amounts and prices are decimal strings; requests may also send JSON numbers, which are read from their source text.',
  'Every refusal has `errorCode` and a `message` that names the remedy. `x-request-id` comes back as it was sent, or is made.',
  'WebSocket `/ws`: send `{"op":"subscribe","channels":["prices:BTC_USDC","trades"],"after":{"trades":17}}`;',
  'every message of a channel carries',
  '`channel`, `sequence` and `data`; `trades` needs a session and resumes after the sequence given,',
  '`prices` resumes with the latest quote.',
  'A message of `trades` also has `type`: `trade.opened` and `trade.updated` (stop or target changed) carry the open trade,',
  '`trade.closed` the closed one, each as the command that did it answers it.',
].join(' ')

/** The OpenAPI 3.1 document of the routes, from the very schemas that validate requests. */
export const openApiDocument = (specs: readonly RouteSpec[]): Json => {
  const { schemas, convert } = createComponents()
  // First the plain pieces: those with words of their own come after and stay in place.
  for (const piece of [amountInput, optionalAmountInput, decimal, optionalDecimal]) convert(piece)
  const paths: Record<string, Json> = {}
  for (const spec of specs) {
    const path = (paths[spec.path] ??= {})
    path[spec.method.toLowerCase()] = operationOf(convert, spec)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bourse',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(specs.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}
