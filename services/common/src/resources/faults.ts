import { Ajv } from 'ajv'
import type { ErrorObject, SchemaObject, ValidateFunction } from 'ajv'
import type { ResourceRule } from './rules.ts'

/**
 * What is wrong with one field of a manifest: its path (`spec.margin.tiers[0].notionalFloor`) and words with
 * the remedy.
 */
export interface Fault {
  readonly field: string
  readonly message: string
}

/** A parsed manifest, or everything that is wrong with it. */
export type Parsed<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly faults: readonly Fault[] }

/** A fault by a rule of the table; `field` when an exact place is known (an element of a list). */
export const ruleFault = (rule: ResourceRule, field: string = rule.field): Fault => ({ field, message: rule.message })

/** A decimal without a sign; at most 10 digits before the point, so that it fits 63 bits of 1e-8. */
export const decimalSchema = { type: 'string', pattern: '^(0|[1-9][0-9]{0,9})([.][0-9]{1,8})?$' } as const
/** A decimal that may be negative. */
export const signedDecimalSchema = { type: 'string', pattern: '^-?(0|[1-9][0-9]{0,9})([.][0-9]{1,8})?$' } as const
/** An asset: up to 8 capitals or digits. */
export const assetSchema = { type: 'string', pattern: '^[A-Z0-9]{1,8}$' } as const
/** A whole number within bounds. */
export const wholeSchema = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum }) as const

/** An object that refuses unknown fields. */
export const strictObject = (required: readonly string[], properties: Record<string, SchemaObject>): SchemaObject => ({
  type: 'object',
  additionalProperties: false,
  required: [...required],
  properties,
})

const patternWords: Readonly<Record<string, string>> = {
  [decimalSchema.pattern]:
    'must be a decimal of 0 or more with at most 10 digits before and 8 after the point, such as "0.01"',
  [signedDecimalSchema.pattern]:
    'must be a decimal with at most 10 digits before and 8 after the point, such as "-0.5"',
  [assetSchema.pattern]: 'must be 1 to 8 capital letters or digits, such as "BTC"',
}

const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$'

/**
 * The envelope that all kinds share; `spec` is the kind's own schema. Fields the API server writes are allowed
 * and ignored.
 */
export const manifestSchema = (kind: string, spec: SchemaObject): SchemaObject =>
  strictObject(['apiVersion', 'kind', 'metadata', 'spec'], {
    apiVersion: { const: 'bourse.dev/v1alpha1' },
    kind: { const: kind },
    metadata: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', pattern: NAME_PATTERN },
        namespace: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
        ...Object.fromEntries(['labels', 'annotations'].map((key) => [key, { type: 'object', maxProperties: 64 }])),
        ...Object.fromEntries(SERVER_FIELDS.map((key) => [key, {}])),
      },
    },
    spec,
    status: {},
  })

const SERVER_FIELDS = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'managedFields',
  'ownerReferences',
  'selfLink',
]

const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '')

const wordsOf = (error: ErrorObject): string => {
  const { keyword, params, message } = error
  if (keyword === 'type' && params['type'] === 'string') return 'must be text; put the value in quotes'
  if (keyword === 'type' && params['type'] === 'integer') return 'must be a whole number without quotes'
  if (keyword === 'type')
    return `must be ${params['type'] === 'array' ? 'a list' : `of type ${String(params['type'])}`}`
  if (keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`
  if (keyword === 'const') return `must be ${String(params['allowedValue'])}`
  if (keyword === 'minimum' || keyword === 'maximum') {
    return `must be ${keyword === 'minimum' ? 'at least' : 'at most'} ${String(params['limit'])}`
  }
  if (keyword === 'minItems') return `must have at least ${String(params['limit'])} entry`
  if (keyword === 'maxItems') return `must have at most ${String(params['limit'])} entries; remove some`
  if (keyword === 'pattern') return patternWords[String(params['pattern'])] ?? `must match ${String(params['pattern'])}`
  return message ?? `breaks the rule '${keyword}'`
}

const faultOf = (error: ErrorObject): Fault => {
  const at = pathOf(error.instancePath)
  const below = (name: unknown): string => (at === '' ? String(name) : `${at}.${String(name)}`)
  if (error.keyword === 'required') {
    return { field: below(error.params['missingProperty']), message: 'is missing; add it' }
  }
  if (error.keyword === 'additionalProperties') {
    return {
      field: below(error.params['additionalProperty']),
      message: 'is not a field of this resource; remove it or check its spelling',
    }
  }
  return { field: at === '' ? 'document' : at, message: wordsOf(error) }
}

/** Compiles a schema; the check answers all faults of a document, none when it fits. */
export const compileSchema = (schema: SchemaObject): ((document: unknown) => Fault[]) => {
  const validate: ValidateFunction = new Ajv({ allErrors: true, strict: true }).compile(schema)
  return (document) => (validate(document) ? [] : (validate.errors ?? []).map(faultOf))
}

/** Whether `text` is a URL of one of the schemes, without user, password or fragment. */
export const isUrlOf = (text: string, schemes: readonly string[]): boolean => {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return schemes.includes(url.protocol.slice(0, -1)) && url.username === '' && url.password === '' && url.hash === ''
}
