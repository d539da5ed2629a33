import { describe, expect, test } from '@jest/globals'
import { mutants } from '../../src/mutants/mutants.ts'
import { planted } from '../../src/mutants/mutant.ts'
import { checkPlantable } from '../../src/mutants/plant.ts'

describe('planted bugs', () => {
  test('there are at least fifteen, each with a name of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(15)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  })

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    '%s changes its file at exactly one place',
    (_, mutant) => {
      expect(() => checkPlantable(mutant)).not.toThrow()
      expect(mutant.replace).not.toBe(mutant.find)
    },
  )

  test('a text that is not there, or there twice, is refused by name', () => {
    const mutant = { name: 'some-bug', what: '', file: 'a.ts', find: 'x', replace: 'y' }
    expect(() => planted(mutant, 'abc')).toThrow("some-bug: 'x' occurs 0 times in a.ts")
    expect(() => planted(mutant, 'xx')).toThrow('2 times')
  })
})
