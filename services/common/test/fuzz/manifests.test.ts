import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { parseManifests } from '@bourse/common/resources/load.ts'
import { validateChange } from '@bourse/common/resources/trading-pair.ts'
import { fuzzed, readOnce, textMutationsOf } from '@bourse/common/testkit/fuzz.ts'
import { inRoot } from '../../tooling/paths.mjs'

const folder = inRoot('crds/samples')
const samples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
const sample = fc.constantFrom(...samples)

type Json = Record<string, unknown>

const pathsOf = (value: unknown, before: readonly string[] = []): string[][] =>
  typeof value !== 'object' || value === null
    ? [[...before]]
    : [[...before], ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...before, key]))]

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '',
    '0',
    '-1',
    '1e3',
    '0.000000001',
    '99999999999999999999',
    'NaN',
    'null',
    0,
    -1,
    1.5,
    Number.POSITIVE_INFINITY,
    true,
    [],
    {},
    'x'.repeat(3_000),
  ),
  fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }).map(String),
  fc.constant(undefined),
)

/** A sample with the value at one of its places replaced or removed. */
const replaced = fc.tuple(sample, fc.nat(), strange).map(([text, at, value]) => {
  const document = parse(text) as Json
  const paths = pathsOf(document).filter((path) => path.length > 0)
  const path = paths[at % paths.length]!
  const parent = path.slice(0, -1).reduce<Json>((part, key) => part[key] as Json, document)
  if (value === undefined) delete parent[path.at(-1)!]
  else parent[path.at(-1)!] = value
  return stringify(document)
})
/** Texts that cost a careless reader much: depth, aliases of aliases, keys that are lists, tags, anchors. */
const costly = fc.oneof(
  fc.nat(3_000).map((depth) => `kind: Bank\nspec: ${'['.repeat(depth)}`),
  fc.nat(3_000).map((depth) => `${'- '.repeat(depth)}x`),
  fc
    .integer({ min: 2, max: 12 })
    .map((depth) =>
      [
        'a0: &a0 [x, x, x, x, x, x, x, x]',
        ...Array.from(
          { length: depth },
          (_, index) => `a${index + 1}: &a${index + 1} [${Array<string>(8).fill(`*a${index}`).join(', ')}]`,
        ),
      ].join('\n'),
    ),
  fc.constantFrom(
    '? [a]\n: b',
    '!!js/function x',
    '&a [*a]',
    '*a',
    '<<: *x',
    '%YAML 9.9\n---\nx',
    '---\n---\n---',
    '"\\x',
    '\t- x',
    'kind: !!binary AAAA',
  ),
  fc.nat(500).map((count) => '---\nkind: Bank\n'.repeat(count)),
)
const texts = fc.oneof(sample, replaced, textMutationsOf(sample), costly, fc.string({ unit: 'binary' }))

describe('manifests of any text', () => {
  test('are read, or refused with faults that name the place in words', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const read = readOnce(() => parseManifests(text, 'some.yaml'), [])
        if ('error' in read) return
        const { found, faults } = read.value
        for (const { field, message, document } of faults) {
          expect([typeof field, message.length > 0 && message.length < 1_000, document > 0]).toEqual([
            'string',
            true,
            true,
          ])
        }
        // A pair that is taken can be taken again: what follows from it is sound.
        for (const { value } of found) {
          if (value.kind === 'TradingPair') expect(validateChange(value, value)).toEqual([])
        }
      }),
      fuzzed(),
    )
  })

  test('are read as they are written again: nothing is lost by a reader who writes them anew', () => {
    for (const text of samples) {
      const [first, again] = [text, stringify(parse(text))].map((one) => parseManifests(one, 'some.yaml'))
      expect(first?.faults).toEqual([])
      expect(again).toEqual(first)
    }
  })
})
