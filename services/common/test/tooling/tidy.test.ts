import { describe, expect, test } from '@jest/globals'
import { readSourceFiles } from '../../tooling/files.ts'
import { inRoot } from '../../tooling/paths.mjs'
import { checkRooms } from '../../tooling/rooms.ts'
import { checkTidy } from '../../tooling/tidy.ts'

const show = (files: Parameters<typeof checkTidy>[0]): string[] =>
  checkTidy(files).map(({ path, line, message }) => `${path}:${line} ${message}`)

const inFile = (path: string, text: string): string[] => show([{ path, text }])

/** Banned words are written in halves, else this file would be an offender itself. */
const OFFENDERS: readonly (readonly [string, string])[] = [
  ['parse' + 'Float(text)', 'never a float'],
  ['(x as ' + 'any).y', 'name the type'],
  ['// TO' + 'DO later', 'finish it'],
  ['// FIX' + 'ME', 'finish it'],
  ['cons' + 'ole.log(1)', 'pino logger'],
  ['// eslint' + '-disable-next-line', 'mend the code'],
  ['// @ts-' + 'ignore', 'mend the type'],
  ['test.on' + "ly('x', f)", 'narrowed run'],
  ['test.sk' + "ip('x', f)", 'skipWithReason'],
  ['x' + "it('x', f)", 'skipWithReason'],
  ['Math.ro' + 'und(price * 2)', 'bigint units'],
  ["fetch('https://registry." + "npmjs.org/x')", "machine's configuration"],
  ["open('/wo" + "rk/main/x')", 'path of one machine'],
  ["open('/ho" + "me/me/x')", 'path of one machine'],
  ['const a = 1 ', 'white space'],
  [`const a = '${'x'.repeat(130)}'`, 'columns'],
]

describe('tidy', () => {
  test.each(OFFENDERS)('finds the planted offender %j on its line and names what to do', (offender, advice) => {
    const found = inFile('services/trading/src/service.ts', `const fine = 1\n${offender}\n`)
    expect(found).toEqual([expect.stringContaining(advice)])
    expect(found[0]).toMatch(/^services\/trading\/src\/service\.ts:2 /)
  })

  test('lets ordinary code, prose about words and generated files be', () => {
    const ordinary = "const exit = process.exit(1)\nconst path = './work/x'\nMath.floor(bytes / 8)\n"
    expect(inFile('services/x/src/a.ts', ordinary)).toEqual([])
    expect(inFile('docs/decisions/0001.md', `A TO${'DO'} list\n`)).toEqual([])
    expect(inFile('docs/openapi.json', `{"a":"${'x'.repeat(200)}"}\n`)).toEqual([])
  })

  test('finds addresses and paths in documents and generated files too', () => {
    expect(inFile('README.md', 'see /wo' + 'rk/main/docs\n')).toHaveLength(1)
    expect(inFile('package-lock.json', '"resolved": "https://registry.' + 'npmjs.org/x"\n')).toHaveLength(1)
  })

  test('finds a file too long for one reading', () => {
    expect(inFile('services/x/src/a.ts', 'const a = 1\n'.repeat(501))).toEqual([expect.stringContaining('501 lines')])
    expect(inFile('services/x/src/a.ts', 'const a = 1\n'.repeat(500))).toEqual([])
  })
})

describe('contract suites of ports', () => {
  const prose = '/**\n * Pipe.\n *\n * Q1 `put` keeps.\n * Q2 `take` gives.\n */\n'
  const port = { path: 'services/common/src/ports/pipe.ts', text: prose }
  const suite = (text: string) => ({ path: 'services/common/src/testkit/contracts/pipe.ts', text })
  const run = {
    path: 'services/common/test/contracts/pipe.test.ts',
    text: "import { x } from '@bourse/common/testkit/contracts/pipe.ts'\n",
  }

  test('are complete when every clause stands in a title and a test file runs them', () => {
    expect(show([port, suite("test('Q1 keeps', f)\ntest(`Q1, Q2 gives`, f)\n"), run])).toEqual([])
  })

  test('are missed when there is none', () => {
    expect(show([port])).toEqual([expect.stringContaining('has no contract suite')])
  })

  test('are incomplete when a clause is in no title, also when prose mentions it', () => {
    expect(show([port, suite("// Q2 is hard\ntest('Q1 keeps', f)\ntest('Q22 other', f)\n"), run])).toEqual([
      expect.stringContaining('clause Q2 is in no test title'),
    ])
  })

  test('are missed when no test file runs them', () => {
    const found = show([port, suite("test('Q1 keeps', f)\ntest('Q2 gives', f)\n")])
    expect(found).toEqual([expect.stringContaining('no test file runs')])
  })
})

test('this repository is tidy and its rooms are in order', () => {
  const files = readSourceFiles(inRoot())
  const problems = [...checkRooms(files), ...checkTidy(files)].map(
    ({ path, line, message }) => `${path}:${line} ${message}`,
  )
  expect(problems).toEqual([])
}, 600_000)
