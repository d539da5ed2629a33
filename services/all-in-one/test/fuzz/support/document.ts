import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { inRoot } from '../../../../common/tooling/paths.mjs'

/** A JSON schema as the document has it. */
export type Schema = { readonly [key: string]: unknown }

/** One parameter of an operation. */
export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: Schema
}

/** One operation of the document. */
export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: Schema | null
  /** Schemas of its answers by status and media type. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, Schema>>>>
}

interface RawOperation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

/** The document: its operations, and what they may answer. */
export interface ApiDocument {
  readonly operations: readonly Operation[]
  /** The schema itself where it refers to a component. */
  resolve(schema: Schema): Schema
  /** The operations whose path a request's path can mean, whatever their method. */
  operationsAt(path: string): readonly Operation[]
  /** What is wrong with an answer's body by a schema of the document, or null. */
  faultOf(schema: Schema, body: unknown): string | null
}

const answersOf = ({ responses }: RawOperation): Operation['answers'] =>
  Object.fromEntries(
    Object.entries(responses).map(([status, { content = {} }]) => [
      status,
      Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema])),
    ]),
  )

/** A path of the document as the router reads it: a parameter is anything but a slash, one slash may end it. */
const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`)

/** Reads `docs/openapi.json`. */
export const readDocument = (): ApiDocument => {
  const document = JSON.parse(readFileSync(inRoot('docs/openapi.json'), 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]): Operation => ({
      id: raw.operationId,
      method: method.toUpperCase(),
      path,
      parameters: raw.parameters ?? [],
      body: raw.requestBody?.content['application/json']?.schema ?? null,
      answers: answersOf(raw),
    })),
  )
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  // The package is CommonJS: its default export is the module when it is loaded as ESM.
  const add = (addFormats as unknown as { readonly default?: typeof addFormats.default }).default
  ;(add ?? (addFormats as unknown as typeof addFormats.default))(ajv)
  ajv.addSchema({ $id: 'document', components: document.components })
  const absolute = (schema: Schema): Schema =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as Schema
  const validators = new Map<Schema, ValidateFunction>()
  const patterns = operations.map((operation) => ({ operation, pattern: patternOf(operation.path) }))
  return {
    operations,
    resolve: (schema) => {
      const reference = schema['$ref']
      if (typeof reference !== 'string') return schema
      const found = document.components.schemas[reference.slice('#/components/schemas/'.length)]
      if (found === undefined) throw new Error(`${reference} is not in the document`)
      return found
    },
    operationsAt: (path) => patterns.filter(({ pattern }) => pattern.test(path)).map(({ operation }) => operation),
    faultOf: (schema, body) => {
      const validate = validators.get(schema) ?? ajv.compile(absolute(schema))
      validators.set(schema, validate)
      return validate(body) ? null : ajv.errorsText(validate.errors)
    },
  }
}
