import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { invalid } from './api-error.ts'
import type { RouteSpec } from './route.ts'

/** The checks of one route; each throws `VALIDATION_ERROR` with field, value and remedy. */
export interface RouteValidator {
  params(value: Record<string, unknown>): Record<string, string>
  query(value: Record<string, unknown>): Record<string, string | number | boolean>
  headers(value: Record<string, unknown>): Record<string, string>
  body(value: unknown): void
}

const options = {
  strict: true,
  allowUnionTypes: true,
  discriminator: true,
  strictNumbers: false,
  useDefaults: false,
  // Errors carry their schema: its description is the remedy of a wrong form.
  verbose: true,
} as const

/** A validator of 2020-12 schemas: strict; infinite numbers pass here because amounts are judged by their source text. */
export const createAjv = (coerceTypes: boolean): Ajv2020 => {
  const ajv = new Ajv2020({ ...options, coerceTypes, useDefaults: coerceTypes })
  // The package is CommonJS: its default export is the module when it is loaded as ESM.
  const add =
    (addFormats as unknown as { readonly default?: typeof addFormats.default }).default ??
    (addFormats as unknown as typeof addFormats.default)
  add(ajv)
  return ajv
}

const shown = (value: unknown): string => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

const at = (data: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null
          ? (value as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')]
          : undefined,
      data,
    )

const list = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : String(values))

const remedies: Readonly<Record<string, (error: ErrorObject) => string>> = {
  enum: ({ params }) => `is not one of ${list(params['allowedValues'])}`,
  const: ({ params }) => `must be ${shown(params['allowedValue'])}`,
  type: ({ params }) => `must be of type ${list(params['type'])}`,
  minLength: ({ params }) => `must have at least ${String(params['limit'])} characters`,
  maxLength: ({ params }) => `must have at most ${String(params['limit'])} characters`,
  minimum: ({ params }) => `must be at least ${String(params['limit'])}`,
  maximum: ({ params }) => `must be at most ${String(params['limit'])}`,
  pattern: ({ parentSchema }) =>
    `does not have the right form${typeof parentSchema?.['description'] === 'string' ? `: ${parentSchema['description']}` : ''}`,
}

/** One sentence about the first error: where, what was sent, what to send. */
const explain = (where: string, error: ErrorObject | undefined, data: unknown): string => {
  if (error === undefined) return `${where} is not valid`
  const path = error.instancePath.slice(1).replaceAll('/', '.')
  const field = path === '' ? where : `${where === 'body' ? '' : `${where} `}${path}`
  if (error.keyword === 'required') {
    return `${path === '' ? '' : `${path}.`}${String(error.params['missingProperty'])} is missing (${where}); send it`
  }
  if (error.keyword === 'additionalProperties') {
    return `${String(error.params['additionalProperty'])} is not known (${where}); remove it`
  }
  if (error.keyword === 'discriminator') {
    const tag = String(error.params['tag'])
    const value = (at(data, error.instancePath) as Record<string, unknown> | undefined)?.[tag]
    return `${tag} ${shown(value)} is not known; see /openapi.json for those that are`
  }
  const remedy = remedies[error.keyword]?.(error) ?? error.message ?? 'is not valid'
  return `${field} ${shown(at(data, error.instancePath))} ${remedy}`
}

const checker =
  (validate: ValidateFunction | null, where: string) =>
  (value: unknown): void => {
    if (validate === null || validate(value)) return
    throw invalid(explain(where, validate.errors?.[0], value))
  }

/** Makes validators; schemas are compiled once, here. */
export const createValidators = (): ((spec: RouteSpec) => RouteValidator) => {
  const bodies = createAjv(false)
  const texts = createAjv(true)
  const compiled = (ajv: Ajv2020, schema: object | undefined): ValidateFunction | null =>
    schema === undefined ? null : ajv.compile(structuredClone(schema))
  return (spec) => {
    const params = checker(compiled(texts, spec.params), 'path')
    const query = checker(compiled(texts, spec.query ?? { type: 'object', additionalProperties: false }), 'query')
    const headers = checker(compiled(texts, spec.headers), 'header')
    const body = checker(compiled(bodies, spec.body), 'body')
    return {
      params: (value) => {
        params(value)
        return value as Record<string, string>
      },
      query: (value) => {
        query(value)
        return value as Record<string, string | number | boolean>
      },
      headers: (value) => {
        headers(value)
        return value as Record<string, string>
      },
      body,
    }
  }
}
