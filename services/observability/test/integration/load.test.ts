import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { findK6 } from '../../src/load/k6.ts'
import { inRoot } from '../../../common/tooling/paths.mjs'

const LIMIT_MS = 900_000
/** Bounds that a machine crosses that is slow or stands still: what is tried here is that everything works and adds up. */
const OF_SPEED = ['http_req_duration', 'http_req_failed', 'dropped_iterations']

interface Said {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}
interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}
interface Summary extends Totals {
  readonly profile: string
  readonly verdicts: readonly { readonly what: string; readonly detail: string; readonly ok: boolean }[]
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>
}

/** Runs the command as people do. */
const load = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [inRoot('services/observability/src/commands/load.ts'), ...args], {
      env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', ...env },
    })
    let [out, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, errors }))
  })
const totalsOf = ({ out }: Said): Totals => JSON.parse(out.trim().split('\n').at(-1) ?? '') as Totals

const k6 = await findK6()

describeUnless('missing' in k6 ? k6.missing : undefined, 'npm run load', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'bourse-load-test-'))))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test(
    'starts a platform, loads it with every scenario, finds its books in order and stops it again',
    async () => {
      const [json, html] = [join(folder, 'summary.json'), join(folder, 'summary.html')]
      const said = await load(['smoke', '--time', '0.5', '--json', json, '--html', html])
      const summary = JSON.parse(await readFile(json, 'utf8')) as Summary
      const broken = summary.verdicts.filter(({ what, ok }) => !ok && !OF_SPEED.some((name) => what.startsWith(name)))
      expect(broken).toEqual([])
      expect(totalsOf(said)).toEqual({ passed: summary.passed, failed: summary.failed, skipped: [] })
      expect(said.code).toBe(summary.failed === 0 ? 0 : 99)
      const done = (name: string): number =>
        summary.metrics[name]?.values['count'] ?? summary.metrics[name]?.values['value'] ?? 0
      // Of the requests that failed none failed for another reason than time, and those came about when tried again.
      expect(done('refusals_other')).toBe(0)
      for (const scenario of ['newcomer', 'trading', 'banks', 'readers', 'subscribers'])
        expect(done(`iterations{scenario:${scenario}}`)).toBeGreaterThan(0)
      for (const books of [
        'books_traders',
        'books_bank_transactions',
        'books_ledger_transactions',
        'books_ledger_sums',
      ])
        expect(done(books)).toBeGreaterThan(0)
      expect(done('ws_messages')).toBeGreaterThan(0)
      expect(summary.verdicts.map(({ what }) => what)).toEqual(
        expect.arrayContaining([
          'dropped_iterations count==0',
          'the same key gives the same answer',
          'books: clearing comes to zero',
        ]),
      )
      expect(await readFile(html, 'utf8')).toContain('<td>the same key gives the same answer</td>')
      const url = /k6 against (http\S+)/.exec(said.out)?.[1] ?? ''
      await expect(fetch(`${url}/livez`)).rejects.toThrow()
    },
    LIMIT_MS,
  )

  test(
    'fails where the sums of the ledger are not to be read where they were said to be',
    async () => {
      const said = await load(['smoke', '--time', '0.1', '--metrics', 'http://127.0.0.1:9/metrics'])
      expect(said.code).toBe(99)
      expect(said.out).toMatch(/FAILED books: the metrics that were named show the sums of the ledger/)
      expect(said.out).toMatch(/ok +books: the bank's deposits are listed, and what is completed has entries/)
    },
    LIMIT_MS,
  )

  test(
    'fails where there is no platform, and says so',
    async () => {
      const json = join(folder, 'broken.json')
      await writeFile(json, JSON.stringify({ passed: 40, failed: 0, skipped: [] }))
      const url = 'http://somebody:his-password@127.0.0.1:9/'
      const said = await load(['smoke', '--time', '0.1', '--json', json, '--url', url])
      expect(said.code).toBe(1)
      expect(said.out).toContain('k6 against http://127.0.0.1:9\n')
      expect(said.out + said.errors).not.toContain('his-password')
      const { passed, failed } = totalsOf(said)
      // What an earlier run left in the file is not this one's.
      expect([passed < 40, failed > 0]).toEqual([true, true])
      expect(said.out + said.errors).toContain('the platform is not ready')
    },
    LIMIT_MS,
  )
})

describe('npm run load without what it needs', () => {
  test('says how to get k6, and names the profiles', async () => {
    const without = await load(['smoke'], { BOURSE_K6: '/nowhere/k6' })
    expect(without.code).toBe(2)
    expect(without.errors).toMatch(/BOURSE_K6 names \/nowhere\/k6, .*install k6/)
    expect(totalsOf(without)).toMatchObject({ passed: 0, failed: 0, skipped: [{ name: 'smoke' }] })
    const unknown = await load(['siege'])
    expect([unknown.code, unknown.errors]).toEqual([
      2,
      "load: 'siege' is no profile; there are smoke, load, stress, spike, soak\n",
    ])
    expect((await load(['smoke', '--rate', '0'])).errors).toContain('give a number above 0')
  })
})
