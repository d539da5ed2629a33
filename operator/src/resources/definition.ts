import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** One rule in CEL of a schema. */
export interface ValidationRule {
  readonly rule: string
  readonly message: string
  /** Below the place of the rule: `.file`. */
  readonly fieldPath?: string
}

/** The part of an OpenAPI v3 schema that our definitions use. */
export interface FieldSchema {
  readonly type: 'object' | 'array' | 'string' | 'integer'
  readonly description?: string
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, FieldSchema>>
  readonly items?: FieldSchema
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[]
}

/** One version of a custom resource definition. */
export interface DefinitionVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly subresources: {
    readonly status?: object
    readonly scale?: {
      readonly specReplicasPath: string
      readonly statusReplicasPath: string
      readonly labelSelectorPath: string
    }
  }
  readonly additionalPrinterColumns: readonly {
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly description: string
  }[]
  readonly schema: { readonly openAPIV3Schema: FieldSchema }
}

/** A custom resource definition, as far as it is read here. */
export interface Definition {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: string
    readonly names: {
      readonly kind: string
      readonly plural: string
      readonly shortNames: readonly string[]
      readonly categories: readonly string[]
    }
    readonly versions: readonly DefinitionVersion[]
  }
}

/** Files of the definitions in `crds/`. */
export type DefinitionFile = 'tradingpair.yaml' | 'bank.yaml'

/** Reads a definition of the repository. */
export const readDefinition = (file: DefinitionFile): Definition =>
  parse(readFileSync(fileURLToPath(new URL(`../../../crds/${file}`, import.meta.url)), 'utf8')) as Definition

/** The one version of a definition. */
export const versionOf = (definition: Definition): DefinitionVersion => {
  const [version] = definition.spec.versions
  if (version === undefined) throw new Error(`${definition.metadata.name} has no version`)
  return version
}

/** A field and where it is: `spec.margin.tiers[].maxLeverage`. */
export interface PlacedField {
  readonly path: string
  readonly field: FieldSchema
  readonly required: boolean
}

/** Every field below one, each before those below it, in the order they are written. */
export const fieldsBelow = (schema: FieldSchema, path: string): PlacedField[] => {
  const inner = schema.type === 'array' ? schema.items : schema
  const place = schema.type === 'array' ? `${path}[]` : path
  if (inner === undefined) return []
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
    const at = `${place}.${name}`
    return [{ path: at, field, required: inner.required?.includes(name) ?? false }, ...fieldsBelow(field, at)]
  })
}
