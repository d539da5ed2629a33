import { readDefinition, versionOf } from './definition.ts'
import type { DefinitionFile, FieldSchema } from './definition.ts'

/** Longest line of a docstring's text. */
const TEXT_WIDTH = 110

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

const wrapped = (text: string): string[] => {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > TEXT_WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

const wordsAbout = ({ description = '', default: preset }: FieldSchema): string => {
  const isShown = preset !== undefined && (typeof preset !== 'object' || Array.isArray(preset))
  return isShown ? `${description} Default ${JSON.stringify(preset)}.` : description
}

const docstring = (text: string, indent: string): string[] => {
  const lines = wrapped(text)
  if (lines.length === 1) return [`${indent}/** ${lines[0] ?? ''} */`]
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`]
}

/** The interfaces made so far, innermost first. */
type Interfaces = string[]

const typeOf = (field: FieldSchema, path: string, made: Interfaces): string => {
  if (path.endsWith('StatusConditions')) return 'readonly Condition[]'
  if (field.enum !== undefined) return field.enum.map((value) => `'${value}'`).join(' | ')
  if (field.type === 'string') return 'string'
  if (field.type === 'integer') return 'number'
  if (field.type === 'array') {
    const item = field.items === undefined ? 'unknown' : typeOf(field.items, `${path}Item`, made)
    return `readonly ${item}[]`
  }
  if (field.properties === undefined) return 'Readonly<Record<string, unknown>>'
  addInterface(path, field, made)
  return path
}

const addInterface = (name: string, field: FieldSchema, made: Interfaces): void => {
  const lines = Object.entries(field.properties ?? {}).flatMap(([key, below]) => {
    const mark = field.required?.includes(key) === true ? '' : '?'
    const type = typeOf(below, `${name}${capital(key)}`, made)
    return [...docstring(wordsAbout(below), '  '), `  readonly ${key}${mark}: ${type}`]
  })
  const about = field.description ?? `An entry of ${name.replace(/Item$/, '')}.`
  made.push([...docstring(about, ''), `export interface ${name} {`, ...lines, '}'].join('\n'))
}

const generateTypes = (file: DefinitionFile): string => {
  const definition = readDefinition(file)
  const { kind } = definition.spec.names
  const version = versionOf(definition)
  const { spec, status } = version.schema.openAPIV3Schema.properties ?? {}
  if (spec === undefined || status === undefined) throw new Error(`${file} describes no spec or no status`)
  const made: Interfaces = []
  addInterface(`${kind}ResourceSpec`, spec, made)
  addInterface(`${kind}ResourceStatus`, status, made)
  const about = version.schema.openAPIV3Schema.description ?? kind
  return `${[
    `// Made from crds/${file} by npm run generate; changes belong there.`,
    `import type { Condition, KubeObject } from '../runtime/types.ts'`,
    '',
    made.join('\n\n'),
    '',
    ...docstring(about, ''),
    `export interface ${kind}Resource extends KubeObject {`,
    `  readonly apiVersion: '${definition.spec.group}/${version.name}'`,
    `  readonly kind: '${kind}'`,
    `  readonly spec: ${kind}ResourceSpec`,
    `  readonly status?: ${kind}ResourceStatus`,
    '}',
  ].join('\n')}\n`
}

/** The module `trading-pair.ts`, whole, from the definition of `TradingPair`. */
export const generateTradingPair = (): string => generateTypes('tradingpair.yaml')

/** The module `bank.ts`, whole, from the definition of `Bank`. */
export const generateBank = (): string => generateTypes('bank.yaml')
