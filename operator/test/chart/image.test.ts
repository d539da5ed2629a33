import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { CHART, evaluation, helmMissing } from './helm.ts'
import { podTemplates } from './pods.ts'
import { testUnless } from '@bourse/common/testkit/skip.ts'

const ROOT = join(CHART, '../..')
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')

describe('the image', () => {
  test('the packages are installed with the package.json of every workspace, or npm ci would refuse', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>
    }
    const workspaces = Object.keys(lock.packages).filter((path) => path !== '' && !path.includes('node_modules'))
    expect(workspaces.length).toBeGreaterThan(8)
    for (const path of workspaces) expect(dockerfile).toContain(`COPY ${path}/package.json ${path}/\n`)
  })

  test('the last stage begins with nothing and ends as a user without rights', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
    expect(last).toMatch(/^\nFROM scratch\n/)
    expect(last).toContain('\nUSER 1000:1000\n')
    expect(last).not.toContain('\nRUN ')
  })

  testUnless(helmMissing(), 'every program that the chart starts is one of ours', () => {
    const programs = podTemplates(evaluation()).flatMap(({ spec }) => spec.containers.flatMap(({ args = [] }) => args))
    const ours = programs.filter((program) => program.endsWith('.ts'))
    expect(ours.length).toBeGreaterThan(7)
    for (const program of ours)
      expect({ program, there: existsSync(join(ROOT, program)) }).toEqual({ program, there: true })
  })
})
