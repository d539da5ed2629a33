import type { ValidateFunction } from 'ajv'
import { engineRefusalSchema } from '../../src/engine/specs.ts'
import { ENGINE_PATH } from '../../src/http/envelope.ts'
import type { RouteSpec, Schema } from '../../src/http/route.ts'
import { refusalSchema } from '../../src/http/schemas.ts'
import { createAjv } from '../../src/http/validate.ts'
import { allSpecs } from '../../src/openapi/specs.ts'

const ajv = createAjv(false)
const compiled = new Map<Schema, ValidateFunction>()

const compile = (schema: Schema): ValidateFunction => {
  const known = compiled.get(schema) ?? ajv.compile(structuredClone(schema))
  compiled.set(schema, known)
  return known
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)

const specOf = (method: string, path: string): RouteSpec | undefined =>
  allSpecs.find((spec) => spec.method === method && patternOf(spec.path).test(path))

const schemaFor = (method: string, path: string, status: number): Schema | undefined => {
  const documented = specOf(method, path)?.answers[status]
  if (documented !== undefined) return documented.schema
  if (status < 400) throw new Error(`${method} ${path} answered ${status}, which its spec does not name`)
  return path === ENGINE_PATH ? engineRefusalSchema : refusalSchema
}

/** Throws when an answer is not what the OpenAPI document promises. */
export const judgeAnswer = (
  method: string,
  target: string,
  answer: { readonly status: number; readonly json: unknown; readonly text: string },
): void => {
  const path = target.split('?')[0] ?? ''
  const schema = schemaFor(method, path, answer.status)
  if (schema === undefined || answer.json === null) return
  const validate = compile(schema)
  if (!validate(answer.json)) {
    throw new Error(
      `${method} ${path} ${answer.status}: ${ajv.errorsText(validate.errors)} in ${answer.text.slice(0, 500)}`,
    )
  }
}
