import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { bankSchema, parseBank } from '@bourse/common/resources/bank.ts'
import { bankRules, immutableRules, tradingPairRules } from '@bourse/common/resources/rules.ts'
import { tradingPairSchema } from '@bourse/common/resources/trading-pair-schema.ts'
import { parseTradingPair, validateChange } from '@bourse/common/resources/trading-pair.ts'
import { fieldsBelow, readDefinition, versionOf } from '../../src/resources/definition.ts'
import type { FieldSchema, PlacedField } from '../../src/resources/definition.ts'
import { bankKind, tradingPairKind } from '../../src/resources/kinds.ts'
import { brokenManifests, forbiddenChanges, smallBank, smallPair, validManifests } from './broken-manifests.ts'
import type { Document } from './broken-manifests.ts'

const parserOf = (kind: string) => (kind === 'Bank' ? parseBank : parseTradingPair)
const definitions = [
  { file: 'tradingpair.yaml', kind: tradingPairKind, parser: tradingPairSchema, small: smallPair },
  { file: 'bank.yaml', kind: bankKind, parser: bankSchema, small: smallBank },
] as const

const specOf = (file: 'tradingpair.yaml' | 'bank.yaml'): FieldSchema =>
  versionOf(readDefinition(file)).schema.openAPIV3Schema.properties!['spec']!

const rulesOf = (schema: FieldSchema): { path: string; message: string; fieldPath: string }[] => {
  const of = (path: string, field: FieldSchema) =>
    (field['x-kubernetes-validations'] ?? []).map(({ message, fieldPath = '' }) => ({ path, message, fieldPath }))
  const items = (path: string, field: FieldSchema) => (field.items === undefined ? [] : of(`${path}[]`, field.items))
  const below = fieldsBelow(schema, 'spec').flatMap(({ path, field }) => [...of(path, field), ...items(path, field)])
  return [...of('spec', schema), ...below]
}

/** The bounds that both describe the same way. */
const boundsOf = (field: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    ['type', 'enum', 'pattern', 'minimum', 'maximum', 'minItems', 'maxItems']
      .filter((key) => field[key] !== undefined)
      .map((key) => [key, field[key]]),
  )

/** Bounds that a rule with better words says in the parser, and that only describe things to Kubernetes. */
const SAID_BY_A_RULE = new Set(['spec.engine.partitions', 'spec.riskRules'])

const fill = (schema: FieldSchema, value: unknown): unknown => {
  const filled = value ?? structuredClone(schema.default)
  if (schema.type === 'array') return (filled as unknown[] | undefined)?.map((item) => fill(schema.items!, item))
  if (schema.type !== 'object' || filled === undefined) return filled
  const fields = Object.entries(schema.properties ?? {}).map(([key, field]) => [
    key,
    fill(field, (filled as Document)[key]),
  ])
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined))
}

describe('the tables of manifests', () => {
  test.each(validManifests)('$name is taken by the parser', ({ kind, document }) => {
    const parsed = parserOf(kind)(document)
    expect(parsed).toMatchObject({ ok: true })
  })

  test.each(brokenManifests)('$name is refused by the parser with field and remedy', ({ kind, document, message }) => {
    const parsed = parserOf(kind)(document)
    const words = parsed.ok ? [] : parsed.faults.map((fault) => `${fault.field}: ${fault.message}`)
    expect(words.join('\n')).toContain(message)
  })

  test.each(forbiddenChanges)('$name: the parser forbids it', ({ document, patch, message }) => {
    const spec = { ...(document['spec'] as Document), ...(patch['spec'] as Document) }
    const before = parseTradingPair(document)
    // SPOT is refused by a rule of its own, so that as a change only the definition can see it.
    const after = parseTradingPair({ ...document, spec: { ...spec, type: 'CFD' } })
    if (!before.ok || !after.ok) throw new Error('the manifests of the change are broken')
    if (spec['type'] === 'SPOT') expect(immutableRules.type.message).toBe(message)
    else expect(validateChange(before.value, after.value).map((fault) => fault.message)).toContain(message)
  })

  test('every rule of the parsers has a broken manifest', () => {
    const words = brokenManifests.map(({ message }) => message)
    const rules = [...Object.values(tradingPairRules), ...Object.values(bankRules)]
    const untried = rules.filter(
      ({ message }) => !words.some((tried) => message.startsWith(tried.slice(tried.indexOf(': ') + 2))),
    )
    expect(untried).toEqual([tradingPairRules.symbolUnique])
  })
})

describe.each(definitions)('the definition $file', ({ file, kind, parser, small }) => {
  const definition = readDefinition(file)
  const version = versionOf(definition)
  const spec = specOf(file)
  const root = version.schema.openAPIV3Schema
  const everyField: PlacedField[] = ['spec', 'status'].flatMap((part) => fieldsBelow(root.properties![part]!, part))

  test('names the kind as the operator asks for it', () => {
    expect(definition.metadata.name).toBe(`${kind.plural}.bourse.dev`)
    expect(`${definition.spec.group}/${version.name}`).toBe(kind.apiVersion)
    expect(definition.spec.names).toMatchObject({ kind: kind.kind, plural: kind.plural, categories: ['bourse'] })
    expect(definition.spec.scope).toBe('Namespaced')
    expect(version.subresources.status).toEqual({})
  })

  test('bounds and describes every field', () => {
    const unbounded = everyField.filter(({ field }) => {
      if (field.description === undefined) return true
      if (field.type === 'array') return field.maxItems === undefined || field['x-kubernetes-list-type'] === undefined
      if (field.type === 'integer') return field.minimum === undefined
      if (field.type === 'object') return field.properties === undefined && field.maxProperties === undefined
      return field.enum === undefined && field.maxLength === undefined
    })
    expect(unbounded.map(({ path }) => path)).toEqual([])
  })

  test('has exactly the fields and bounds of the parser', () => {
    const parserSpec = (parser['properties'] as Record<string, FieldSchema>)['spec']!
    const shown = (fields: readonly PlacedField[]) =>
      fields.map(({ path, field, required }) => ({
        path,
        required,
        ...(SAID_BY_A_RULE.has(path) ? {} : boundsOf(field as unknown as Record<string, unknown>)),
      }))
    expect(shown(fieldsBelow(spec, 'spec'))).toEqual(shown(fieldsBelow(parserSpec, 'spec')))
  })

  test('has defaults that the parser has too', () => {
    const filled = { ...small, spec: fill(spec, small['spec']) }
    const [bare, whole] = [parserOf(kind.kind)(small), parserOf(kind.kind)(filled)]
    expect(bare).toMatchObject({ ok: true })
    expect(whole).toEqual(bare)
  })

  test('says each rule with the words and at the place of the rule table', () => {
    const table =
      kind.kind === 'Bank'
        ? Object.values(bankRules)
        : [...Object.values(tradingPairRules), ...Object.values(immutableRules)]
    const said = rulesOf(spec)
    const known = new Set<string>(table.map(({ message }) => message))
    expect(said.filter(({ message }) => !known.has(message))).toEqual([])
    const places = (message: string) =>
      said.filter((rule) => rule.message === message).map(({ path, fieldPath }) => `${path}${fieldPath}`)
    const missing = table.filter(({ message, field }) => !places(message).some((place) => place.startsWith(field)))
    expect(missing).toEqual(kind.kind === 'Bank' ? [] : [tradingPairRules.symbolUnique])
  })

  test('prints the columns of the contract', () => {
    const columns = version.additionalPrinterColumns.map(({ name }) => name.toUpperCase()).join(' ')
    const wanted =
      kind.kind === 'Bank'
        ? 'STATE KEY-AGE CALLBACK READY AGE'
        : 'SYMBOL STATE SHARDS READY PARTITIONS LAST-SNAPSHOT AGE'
    expect(columns).toBe(wanted)
    expect(definition.spec.names.shortNames).toEqual([kind.kind === 'Bank' ? 'bank' : 'tp'])
  })

  test('is copied to the chart byte for byte', () => {
    const text = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
    expect(text(`charts/bourse/files/crds/${file}`)).toBe(text(`crds/${file}`))
  })
})

test('the scale subresource of a pair moves its shards', () => {
  expect(versionOf(readDefinition('tradingpair.yaml')).subresources.scale).toEqual({
    specReplicasPath: '.spec.engine.shards',
    statusReplicasPath: '.status.shards',
    labelSelectorPath: '.status.selector',
  })
})

test('the samples are valid', () => {
  const folder = new URL('../../../crds/samples/', import.meta.url)
  for (const file of readdirSync(folder)) {
    const document = parse(readFileSync(new URL(file, folder), 'utf8')) as Document
    expect(parserOf(String(document['kind']))(document)).toMatchObject({ ok: true })
  }
})
