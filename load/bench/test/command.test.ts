/** The real command in a process of its own, on groups that cost nothing. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NOTES_MARK } from '../src/report/document.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const TINY = fileURLToPath(new URL('tiny-groups.ts', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let folder = ''
let report = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bourse-bench-'))
  report = join(folder, 'performance.md')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const command = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

const bench = (...args: string[]): Promise<Ended> => command('--groups', TINY, ...args)

interface JsonRow {
  readonly name: string
  readonly value: number | null
  readonly met: boolean | null
  readonly runs: number
  readonly peers: Readonly<Record<string, number>>
  readonly reason?: string
}

const lastLine = (text: string): { readonly rows: readonly JsonRow[] } =>
  JSON.parse(text.trimEnd().split('\n').at(-1)!) as { rows: readonly JsonRow[] }

describe('npm run bench', () => {
  test('ends with one line of JSON: medians of as many fresh processes as runs, peers and verdicts', async () => {
    const { code, stdout, stderr } = await bench('--only', 'tiny/', '--runs', '3', '--json', '--report', report)
    expect(stderr).not.toContain('failed')
    expect(code).toBe(0)
    const [one, two] = lastLine(stdout).rows
    expect(one).toMatchObject({ name: 'tiny/one', unit: 'ns', goal: '≤ 40 ns', met: true, peers: {}, runs: 3 })
    expect(one!.value).toBeLessThan(17)
    expect(two).toMatchObject({ value: 3_000_000, met: false, peers: { 'slow-peer': 2_000_000 }, runs: 3 })
    expect(two).toMatchObject({ absent: { 'missing-peer': 'not installed' } })
  })

  test('a row that cannot be measured here has no value but a reason, and the command succeeds', async () => {
    const { code, stdout } = await bench('--only', 'away', '--runs', '1', '--json', '--report', report)
    expect(code).toBe(0)
    const away = { name: 'away/row', value: null, met: null, runs: 0, reason: 'there is no such part here' }
    expect(lastLine(stdout).rows).toEqual([expect.objectContaining(away)])
  })

  test('a group that breaks ends the command with 1 and says why, the others are measured', async () => {
    const { code, stdout } = await bench('--runs', '2', '--json', '--report', report)
    expect(code).toBe(1)
    const rows = lastLine(stdout).rows
    expect(rows.map(({ name, runs }) => [name, runs])).toEqual([
      ['tiny/one', 2],
      ['tiny/two', 2],
      ['away/row', 0],
      ['broken/row', 0],
    ])
    expect(rows.at(-1)!.reason).toBe('run 1 failed: it broke')
  })

  test('the report names the machine, holds each kind in its own table and keeps rows and notes it did not write', async () => {
    const first = await bench('--only', 'tiny/two', 'away', '--runs', '1', '--report', report)
    expect(first.code).toBe(0)
    const written = await readFile(report, 'utf8')
    expect(written).toMatch(/1\. .+, \d+ cores, \d+ GiB memory, \w+ \S+, Node v\d+/)
    expect(written).toContain('## Core + fsync')
    expect(written).toContain('| `tiny/two` | 3,000,000 ops/s | 3,000,000 – 3,000,000 |')
    expect(written).toContain('slow-peer 2,000,000 (1.5 ×); missing-peer absent: not installed | 1 |')
    expect(written).toContain('not measured: there is no such part here')
    expect(written).not.toContain('tiny/one')
    await writeFile(report, written.replaceAll('3,000,000', '4,444,444') + '\nThe profile says: nothing.\n')

    const second = await bench('--only', 'tiny/one', '--runs', '1', '--report', report)
    expect(second.code).toBe(0)
    const rewritten = await readFile(report, 'utf8')
    expect(rewritten).toContain('| `tiny/one` | 1')
    expect(rewritten).toContain('| `tiny/two` | 4,444,444 ops/s |')
    expect(rewritten.endsWith('The profile says: nothing.\n')).toBe(true)
    expect(rewritten.split(NOTES_MARK)).toHaveLength(2)
    expect(rewritten.indexOf('## Core\n')).toBeLessThan(rewritten.indexOf('## Core + fsync'))
  })

  test('lists rows without measuring, and refuses a prefix that no row has', async () => {
    const listed = await bench('--list', '--only', 'tiny/one')
    expect([listed.code, listed.stdout]).toEqual([0, `${'tiny/one'.padEnd(28)} core, ns: ≤ 40 ns\n`])
    const none = await bench('--only', 'nothing')
    expect(none.code).toBe(2)
    expect(none.stderr).toContain('no row begins with nothing')
  })

  test('measures a real row: the trading mix through runner and journal, beside the same records inserted bare', async () => {
    const only = ['--only', 'fsync/trading-10', '--runs', '1', '--json', '--report', report]
    const { code, stdout, stderr } = await command(...only)
    expect({ code, failed: stderr.includes('failed') }).toEqual({ code: 0, failed: false })
    const [row] = lastLine(stdout).rows.filter(({ name }) => name === 'fsync/trading-10')
    expect(row).toMatchObject({ name: 'fsync/trading-10', unit: 'ops/s', kind: 'core + fsync', runs: 1 })
    expect(row!.value).toBeGreaterThan(0)
    expect(row!.peers['bare-insert']).toBeGreaterThan(0)
  }, 900_000)
})
