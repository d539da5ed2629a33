import { describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { testSeed } from '../../src/testkit/test-seed.ts'
import { seedOfRun } from '../../tooling/test-seed.ts'

describe('the chance of a run', () => {
  const repository = (): string => {
    const cwd = mkdtempSync(join(tmpdir(), 'bourse-seed-'))
    const git = (...args: readonly string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd, encoding: 'utf8' })
    git('init', '--quiet')
    git('commit', '--quiet', '--allow-empty', '--message', 'first')
    return cwd
  }

  test('is that of the commit, the same each time, and another for another commit', () => {
    const cwd = repository()
    const head = (): string => execFileSync('git', ['rev-parse', 'HEAD'], { cwd, encoding: 'utf8' })
    const first = seedOfRun(undefined, { cwd })
    expect(first).toBe(Number(`0x${head().slice(0, 5)}`))
    expect(seedOfRun('', { cwd })).toBe(first)
    const message = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b.c',
      'commit',
      '--quiet',
      '--allow-empty',
      '--message',
      'second',
    ]
    execFileSync('git', message, { cwd })
    expect(seedOfRun(undefined, { cwd })).toBe(Number(`0x${head().slice(0, 5)}`))
  })

  test('is 1 where no commit is', () => {
    expect(seedOfRun(undefined, { cwd: mkdtempSync(join(tmpdir(), 'bourse-seed-')) })).toBe(1)
  })

  test('is what is given', () => {
    expect(seedOfRun('0')).toBe(0)
    expect(seedOfRun('1048575')).toBe(1_048_575)
  })

  test.each(['-1', '1048576', '1.5', 'x', ' 1'])('is not %j', (given) => {
    expect(() => seedOfRun(given)).toThrow(
      `BOURSE_TEST_SEED is '${given}'; give a whole number from 0 to 1048575, or fresh`,
    )
  })

  test('fresh draws within the bound', () => {
    for (let draw = 0; draw < 100; draw++) expect(seedOfRun('fresh')).toBeLessThanOrEqual(1_048_575)
  })

  test('reaches tests and properties', () => {
    const given = process.env['BOURSE_TEST_SEED']
    const seed = testSeed()
    if (given === undefined || given === '') expect(fc.readConfigureGlobal().seed).toBeUndefined()
    else expect([String(seed), fc.readConfigureGlobal().seed]).toEqual([given, seed])
    expect(seed).toBeGreaterThanOrEqual(0)
    expect(seed).toBeLessThanOrEqual(1_048_575)
  })
})
