import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'

const css = readFileSync(new URL('../../src/design/tokens.css', import.meta.url), 'utf8')

/** The tokens that the block behind a selector sets. */
const tokensOf = (selector: string): Readonly<Record<string, string>> => {
  const block = css.split(`${selector} {`)[1]?.split('}')[0] ?? ''
  return Object.fromEntries([...block.matchAll(/(--[\w-]+): ([^;]+);/g)].map(([, name, value]) => [name, value]))
}

// A media query and an attribute can not share a block, and the chart reads resolved values, which light-dark() has none of.
test('dark is the same dark, whether the system asks for it or a person chose it', () => {
  const bySystem = tokensOf(":root:not([data-scheme='light'])")
  expect(bySystem['--ground']).toMatch(/^#/)
  expect(tokensOf(":root[data-scheme='dark']")).toEqual(bySystem)
})

test('every token that dark sets is one that light has', () => {
  const light = tokensOf(':root')
  expect(Object.keys(tokensOf(":root[data-scheme='dark']")).filter((name) => light[name] === undefined)).toEqual([])
})
