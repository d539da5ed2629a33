import type { ManifestRecord } from '../ports/directory.ts'
import type { Bank } from './bank.ts'
import { tradingPairRules } from './rules.ts'
import { manifestKey, parseDocument, type Manifests, type UnreadManifest } from './load.ts'
import type { ManifestDefaults, TradingPair } from './trading-pair.ts'

const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is no manifest either; its parser says so in its own words.
    return null
  }
}

const parseRecord = (
  { kind, name, document }: ManifestRecord,
  defaults: ManifestDefaults,
): { readonly value: TradingPair | Bank } | { readonly reason: string } => {
  const parsed = parseDocument(parsedJson(document), defaults)
  if (!parsed.ok) return { reason: parsed.faults.map(({ field, message }) => `${field}: ${message}`).join('; ') }
  const { value } = parsed
  if (value.kind === kind && value.name === name) return { value }
  return { reason: `it is stored as ${kind} ${name}, but says ${value.kind} ${value.name}` }
}

/**
 * The manifests among stored records. One that can't be read is left out, with the reason, and hurts no other. Of two pairs with
 * one symbol the one stands that `before` had, else the first by name.
 */
export const parseStored = (
  records: readonly ManifestRecord[],
  defaults: ManifestDefaults,
  before: Pick<Manifests, 'pairs'> = { pairs: [] },
): Manifests => {
  const found: (TradingPair | Bank)[] = []
  const unread: UnreadManifest[] = []
  const generations = new Map<string, number>()
  for (const record of records) {
    const { kind, name, generation } = record
    const parsed = parseRecord(record, defaults)
    if ('reason' in parsed) unread.push({ kind, name, generation, reason: parsed.reason })
    else {
      found.push(parsed.value)
      generations.set(manifestKey(kind, name), generation)
    }
  }
  const stored = found.flatMap((value) => (value.kind === 'TradingPair' ? [value] : []))
  const owners = new Map<string, string>()
  const isStored = ({ name, spec }: TradingPair): boolean =>
    stored.some((pair) => pair.name === name && pair.spec.symbol === spec.symbol)
  for (const { name, spec } of [...before.pairs.filter(isStored), ...stored])
    if (!owners.has(spec.symbol)) owners.set(spec.symbol, name)
  const pairs = stored.filter(({ name, spec }) => owners.get(spec.symbol) === name)
  for (const { kind, name } of stored.filter((pair) => !pairs.includes(pair)))
    unread.push({
      ...{ kind, name, generation: generations.get(manifestKey(kind, name)) ?? 0 },
      reason: `${tradingPairRules.symbolUnique.field}: ${tradingPairRules.symbolUnique.message}`,
    })
  return { pairs, banks: found.flatMap((value) => (value.kind === 'Bank' ? [value] : [])), generations, unread }
}
