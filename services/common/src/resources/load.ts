import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { parseBank } from './bank.ts'
import type { Bank } from './bank.ts'
import { ruleFault } from './faults.ts'
import type { Fault, Parsed } from './faults.ts'
import { setRules, tradingPairRules } from './rules.ts'
import { manifestDefaults, parseTradingPair } from './trading-pair.ts'
import type { ManifestDefaults, TradingPair } from './trading-pair.ts'

/**
 * A fault and where it stands: file, document in it (from 1), and the manifest's kind and name as far as they
 * could be read.
 */
export interface ManifestFault extends Fault {
  readonly file: string
  readonly document: number
  readonly resource: string
}

/** A stored manifest that is not used, and why. */
export interface UnreadManifest {
  readonly kind: (TradingPair | Bank)['kind']
  readonly name: string
  readonly generation: number
  readonly reason: string
}

/** All manifests, each list ordered by name. */
export interface Manifests {
  readonly pairs: readonly TradingPair[]
  readonly banks: readonly Bank[]
  /** metadata.generation by `manifestKey`; nobody counts those of a folder. */
  readonly generations?: ReadonlyMap<string, number>
  /** Those that are there and not used. Of a folder there are none: it is taken whole or not at all. */
  readonly unread?: readonly UnreadManifest[]
}

/** A manifest among those of all kinds. */
export const manifestKey = (kind: string, name: string): string => `${kind}/${name}`

/** The manifests, or all faults of all files together. */
export type LoadedManifests =
  | { readonly ok: true; readonly manifests: Manifests }
  | { readonly ok: false; readonly faults: readonly ManifestFault[] }

/** Largest manifest file, bytes. */
export const MANIFEST_BYTES_MAX = 1_048_576
/** Most manifest files in a folder. */
export const MANIFEST_FILES_MAX = 1_000
const PAIRS_MAX = 255
const BANKS_MAX = 1_000
const ALIASES_MAX = 50

interface Located<Value> {
  readonly value: Value
  readonly file: string
  readonly document: number
}

/** One line: `btc-usdc.yaml document 1 (TradingPair btc-usdc): spec.tickSize: must …`. */
export const formatFault = ({ file, document, resource, field, message }: ManifestFault): string =>
  `${file} document ${document} (${resource}): ${field}: ${message}`

const textAt = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined

const resourceOf = (value: unknown): string => {
  const kind = textAt(value, 'kind')
  const name = textAt(textAt(value, 'metadata'), 'name')
  const shown = (part: unknown): string => (typeof part === 'string' ? part.slice(0, 64) : '?')
  return `${shown(kind)} ${shown(name)}`
}

/** Reads one manifest from its value. */
export const parseDocument = (value: unknown, defaults: ManifestDefaults): Parsed<TradingPair | Bank> => {
  const kind = textAt(value, 'kind')
  if (kind === 'TradingPair') return parseTradingPair(value, defaults)
  if (kind === 'Bank') return parseBank(value)
  return { ok: false, faults: [{ field: 'kind', message: setRules.kindKnown }] }
}

/** Reads the text of one file of manifests, `---` between them; empty documents are passed over. */
export const parseManifests = (
  text: string,
  file: string,
  defaults: ManifestDefaults = manifestDefaults,
): { readonly found: readonly Located<TradingPair | Bank>[]; readonly faults: readonly ManifestFault[] } => {
  const found: Located<TradingPair | Bank>[] = []
  const faults: ManifestFault[] = []
  const documents = parseAllDocuments(text, { prettyErrors: true, uniqueKeys: true })
  for (const [index, document] of (Array.isArray(documents) ? documents : []).entries()) {
    const place = { file, document: index + 1 }
    if (document.errors.length > 0) {
      const messages = document.errors.map(({ message }) => message.split('\n')[0] ?? '')
      faults.push(...messages.map((message) => ({ ...place, resource: 'YAML', field: 'document', message })))
      continue
    }
    const read = readDocument(() => document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown, defaults)
    if (read === undefined) continue
    if (read.parsed.ok) found.push({ ...place, value: read.parsed.value })
    else faults.push(...read.parsed.faults.map((fault) => ({ ...place, resource: read.resource, ...fault })))
  }
  return { found, faults }
}

const readDocument = (
  toValue: () => unknown,
  defaults: ManifestDefaults,
): { readonly resource: string; readonly parsed: Parsed<TradingPair | Bank> } | undefined => {
  let value: unknown
  try {
    value = toValue()
  } catch (error) {
    // The YAML library throws on an unknown alias or on more of them than allowed: the author's mistake, not ours.
    const message = error instanceof Error ? error.message : String(error)
    return { resource: 'YAML', parsed: { ok: false, faults: [{ field: 'document', message }] } }
  }
  if (value === null || value === undefined) return undefined
  return { resource: resourceOf(value), parsed: parseDocument(value, defaults) }
}

const setFaults = (found: readonly Located<TradingPair | Bank>[]): ManifestFault[] => {
  const faults: ManifestFault[] = []
  const seen = new Set<string>()
  const add = ({ file, document, value }: Located<TradingPair | Bank>, fault: Fault): void => {
    faults.push({ file, document, resource: `${value.kind} ${value.name}`, ...fault })
  }
  for (const located of found) {
    const { value } = located
    const name = `${value.kind} ${value.name}`
    if (seen.has(name)) add(located, { field: 'metadata.name', message: setRules.nameUnique })
    seen.add(name)
    if (value.kind !== 'TradingPair') continue
    const symbol = `symbol ${value.spec.symbol}`
    if (seen.has(symbol)) add(located, ruleFault(tradingPairRules.symbolUnique))
    seen.add(symbol)
  }
  return faults
}

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  left.name < right.name ? -1 : 1

const filesOf = async (place: string): Promise<string[]> => {
  if ((await stat(place)).isFile()) return [place]
  const names = (await readdir(place)).filter((name) => /\.ya?ml$/i.test(name)).sort()
  return names.map((name) => join(place, name))
}

const placeFault = (file: string, message: string): ManifestFault => ({
  file,
  document: 1,
  resource: 'file',
  field: 'file',
  message,
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Reads every `.yaml` and `.yml` of a folder (not its subfolders), or one file. Answers all faults of all files
 * together; an unreadable folder or file is a fault too.
 */
export const loadManifests = async (
  folder: string,
  defaults: ManifestDefaults = manifestDefaults,
): Promise<LoadedManifests> => {
  const found: Located<TradingPair | Bank>[] = []
  const faults: ManifestFault[] = []
  let files: string[] = []
  try {
    files = await filesOf(folder)
  } catch (error) {
    // A folder that cannot be read is reported like any other fault: the caller shows one list.
    faults.push(placeFault(folder, messageOf(error)))
  }
  if (files.length > MANIFEST_FILES_MAX) {
    faults.push(placeFault(folder, `has more than ${MANIFEST_FILES_MAX} files; remove some`))
  }
  for (const path of files.slice(0, MANIFEST_FILES_MAX)) {
    const read = await readManifestFile(path, defaults)
    found.push(...read.found)
    faults.push(...read.faults)
  }
  const pairs = found.flatMap(({ value }) => (value.kind === 'TradingPair' ? [value] : [])).sort(byName)
  const banks = found.flatMap(({ value }) => (value.kind === 'Bank' ? [value] : [])).sort(byName)
  if (pairs.length > PAIRS_MAX) faults.push(placeFault(folder, setRules.pairsMax))
  if (banks.length > BANKS_MAX) faults.push(placeFault(folder, setRules.banksMax))
  faults.push(...setFaults(found))
  return faults.length > 0 ? { ok: false, faults } : { ok: true, manifests: { pairs, banks } }
}

const readManifestFile = async (
  path: string,
  defaults: ManifestDefaults,
): Promise<ReturnType<typeof parseManifests>> => {
  const file = basename(path)
  try {
    if ((await stat(path)).size > MANIFEST_BYTES_MAX) {
      return { found: [], faults: [placeFault(file, `is larger than ${MANIFEST_BYTES_MAX} bytes; split it`)] }
    }
    const text = await readFile(path, 'utf8')
    return parseManifests(text, file, { ...defaults, folder: dirname(resolve(path)) })
  } catch (error) {
    // One unreadable file must not hide the faults of the others.
    return { found: [], faults: [placeFault(file, messageOf(error))] }
  }
}
