import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { mutants } from '../../src/mutants/mutants.ts'
import { planted } from '../../src/mutants/mutant.ts'

const ROOT = new URL('../../../../', import.meta.url)

describe('planted bugs', () => {
  test('there are at least fifteen, each with a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(15)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  })

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s changes its file at exactly one place',
    (_, mutant) => {
      const text = readFileSync(new URL(mutant.file, ROOT), 'utf8')
      expect(planted(mutant, text)).not.toBe(text)
    },
  )

  test('a text that is not there, or there twice, is refused by name', () => {
    const mutant = { name: 'some-bug', what: '', file: 'a.ts', find: 'x', replace: 'y' }
    expect(() => planted(mutant, 'abc')).toThrow("some-bug: 'x' occurs 0 times in a.ts")
    expect(() => planted(mutant, 'xx')).toThrow('2 times')
  })
})
