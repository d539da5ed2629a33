import { fieldsBelow, readDefinition, versionOf } from './definition.ts'
import type { Definition, DefinitionFile, FieldSchema, PlacedField } from './definition.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const DECIMALS: readonly (readonly [pattern: string, words: string])[] = [
  ['^(0|[1-9][0-9]{0,9})([.][0-9]{1,8})?$', 'decimal as text'],
  ['^-?(0|[1-9][0-9]{0,9})([.][0-9]{1,8})?$', 'decimal as text, may be negative'],
]

const textWords = (field: FieldSchema): string => {
  if (field.enum !== undefined) return field.enum.map((value) => `\`${value}\``).join(', ')
  if (field.format === 'date-time') return 'time (RFC 3339)'
  const decimal = DECIMALS.find(([pattern]) => pattern === field.pattern)
  if (decimal !== undefined) return decimal[1]
  if (field.pattern !== undefined) return `text like \`${field.pattern}\``
  return `text of ${field.minLength ?? 0} to ${field.maxLength ?? 'any'} characters`
}

const typeWords = (field: FieldSchema): string => {
  if (field.type === 'object') return 'object'
  if (field.type === 'array') {
    const of = field.items === undefined || field.items.type === 'object' ? 'objects' : 'texts'
    return `list of ${field.minItems ?? 0} to ${field.maxItems ?? 'any'} ${of}`
  }
  if (field.type === 'string') return textWords(field)
  return `whole number, ${field.minimum ?? 'any'}${field.maximum === undefined ? ' or more' : ` to ${field.maximum}`}`
}

const defaultWords = ({ field, required }: PlacedField): string => {
  if (required) return 'required'
  const isWhole = field.default === undefined || (field.type === 'object' && field.properties !== undefined)
  return isWhole ? '–' : `\`${JSON.stringify(field.default)}\``
}

const fieldRow = (placed: PlacedField): string =>
  `| \`${placed.path}\` | ${cell(typeWords(placed.field))} | ${cell(defaultWords(placed))} | ` +
  `${cell(placed.field.description ?? '')} |`

const rulesOf = (schema: FieldSchema): string[] => {
  const seen = new Set<string>()
  const add = (path: string, field: FieldSchema): void => {
    for (const { message, fieldPath = '' } of field['x-kubernetes-validations'] ?? [])
      seen.add(`| \`${path}${fieldPath}\` | ${cell(message)} |`)
    if (field.items !== undefined) add(`${path}[]`, field.items)
  }
  add('spec', schema)
  for (const { path, field } of fieldsBelow(schema, 'spec')) add(path, field)
  return [...seen]
}

const headOf = (definition: Definition): string => {
  const { names, group } = definition.spec
  const version = versionOf(definition)
  const columns = version.additionalPrinterColumns.map(
    ({ name, description }) => `${name.toUpperCase()}: ${description}`,
  )
  const scale = version.subresources.scale
  return [
    `\`${group}/${version.name}\`, namespaced; plural \`${names.plural}\`, short \`${names.shortNames.join(', ')}\`, ` +
      `category \`${names.categories.join(', ')}\`.`,
    ...(scale === undefined ? [] : [`\`kubectl scale\` moves \`${scale.specReplicasPath.slice(1)}\`.`]),
    `\`kubectl get\` prints ${columns.join(' ')}`,
  ].join(' ')
}

const section = (file: DefinitionFile): string => {
  const definition = readDefinition(file)
  const root = versionOf(definition).schema.openAPIV3Schema
  const { spec, status } = root.properties ?? {}
  if (spec === undefined || status === undefined) throw new Error(`${file} describes no spec or no status`)
  const table = (schema: FieldSchema, path: string): string[] => [
    '| field | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...fieldsBelow(schema, path).map(fieldRow),
  ]
  return [
    `## ${definition.spec.names.kind}`,
    '',
    root.description ?? '',
    '',
    headOf(definition),
    '',
    '### Spec',
    '',
    ...table(spec, 'spec'),
    '',
    '### Rules',
    '',
    'The API server refuses what breaks one of these, and so does the embedded profile, with the same words.',
    '',
    '| field | words |',
    '| --- | --- |',
    ...rulesOf(spec),
    '',
    '### Status',
    '',
    ...table(status, 'status'),
  ].join('\n')
}

/** The page `docs/reference/resources.md`, whole, from the definitions. */
export const generate = (): string => `# Resources

Generated from [\`crds/\`](../../crds) by \`npm run generate\`; the same is told by \`kubectl explain tp.spec\` and
\`kubectl explain bank.spec\`. Conditions and events, with their reasons and what to do, are in
[conditions and events](../operations/conditions-and-events.md). A decimal is a text with at most 10 digits before and 8 after
the point. \`metadata.name\` is 1 to 40 small letters, digits and hyphens.

${section('tradingpair.yaml')}

Two TradingPairs of one namespace cannot have the same symbol; this the API server cannot see, and the operator says it in the
condition Ready of the younger one.

${section('bank.yaml')}
`
