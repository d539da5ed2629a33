import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { inRoot } from '../../tooling/paths.mjs'

interface Found {
  readonly filePath: string
  readonly messages: readonly { readonly line: number; readonly ruleId: string | null; readonly message: string }[]
}

const MACHINE = 'services/trading/src/machine/planted.ts'
const KERNEL = 'services/common/src/kernel/command.ts'
const REFERENCE = 'risk-rules/reference/trading/planted.ts'
const ASSEMBLY = 'risk-rules/assembly/trading/planted.ts'
const SERVICE = 'services/trading/src/service.ts'
const ADAPTER = 'services/common/src/adapters/system/clock.ts'
const MAIN = 'services/trading/src/main.ts'

const CLOCKS = ['export const a = Date.now()', 'export const a = performance.now()', 'export const a = new Date()']
const TIMERS = ['setTimeout(() => undefined, 1)', 'setInterval(() => undefined, 1)']

/** What a machine may not say, one offence a line. */
const IN_MACHINE = [
  ...CLOCKS,
  ...TIMERS,
  'export const a = Math.random()',
  'export const a = crypto.randomUUID()',
  'export const a = globalThis.performance',
  'setImmediate(() => undefined)',
  'queueMicrotask(() => undefined)',
  'export const a = process.pid',
  "export const a = fetch('http://localhost')",
  'export const a = async () => 1',
  'export type A = Promise<number>',
  "import { readFileSync } from 'node:fs'; export const a = readFileSync",
  "import { request } from 'node:http'; export const a = request",
  "import { connect } from 'net'; export const a = connect",
  "import { DatabaseSync } from 'node:sqlite'; export const a = DatabaseSync",
  "import { randomBytes } from 'node:crypto'; export const a = randomBytes",
]

/** What only adapters, mains, commands and tests may say. */
const IN_SERVICE = [
  ...CLOCKS,
  ...TIMERS,
  'export const a = Math.random()',
  "import { setTimeout } from 'node:timers/promises'; export const a = setTimeout",
  "import { randomUUID } from 'node:crypto'; export const a = randomUUID",
]

const FINE_IN_SERVICE = [
  'export const a = new Date(0).toISOString()',
  'export const a = process.pid',
  'export const a = async () => 1',
]
const FINE_IN_MACHINE = [
  "import { createHash } from 'node:crypto'; export const a = createHash",
  'export const a = Math.floor(1.5)',
]

const PROMISES = [
  'const work = async (): Promise<void> => undefined; export const a = () => { work() }',
  'const work = async (): Promise<void> => undefined; export const a = () => { [1].forEach(async () => work()) }',
  'export const a = (b: any) => b',
  "import { Buffer } from 'node:buffer'; export type A = Buffer",
  'const unused = 1; export const a = 2',
]

/** One file per offence, so that names do not collide: `planted.ts` → `planted-0.ts`, … */
const plantedPath = (path: string, index: number): string => path.replace(/(\.ts)$/, `-${index}$1`)

const PLANTED: Readonly<Record<string, readonly string[]>> = {
  [MACHINE]: [...IN_MACHINE, ...FINE_IN_MACHINE],
  [REFERENCE]: IN_MACHINE,
  [ASSEMBLY]: [
    'export const a = Date.now()',
    'export const a = Math.random()',
    '@inline\nfunction b(): i32 { return 1 }',
  ],
  [SERVICE]: [...IN_SERVICE, ...FINE_IN_SERVICE, ...PROMISES],
  [ADAPTER]: IN_SERVICE,
}

const EXACT: Readonly<Record<string, string>> = { [KERNEL]: 'export const a = Date.now()', [MAIN]: TIMERS.join('\n') }

/** Rules that know types read the whole of what they check, which takes a slow machine minutes. */
const LINT_MS_MAX = 600_000

let root = ''
const found = new Map<string, Found['messages']>()

const plant = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), `${text}\n`)
}

const lint = (): Promise<string> =>
  new Promise((resolve) => {
    const config = inRoot('services/common/tooling/eslint.config.mjs')
    const args = [
      inRoot('node_modules/eslint/bin/eslint.js'),
      '--config',
      config,
      '--format',
      'json',
      'services',
      'risk-rules',
    ]
    execFile(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }, (_error, stdout, stderr) =>
      resolve(stdout || stderr),
    )
  })

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'bourse-lint-'))
  cpSync(inRoot('tsconfig.json'), join(root, 'tsconfig.json'))
  mkdirSync(join(root, 'services/common/tooling'), { recursive: true })
  cpSync(inRoot('services/common/tooling/tsconfig.lint.json'), join(root, 'services/common/tooling/tsconfig.lint.json'))
  symlinkSync(inRoot('node_modules'), join(root, 'node_modules'))
  for (const [path, texts] of Object.entries(PLANTED))
    texts.forEach((text, index) => plant(plantedPath(path, index), text))
  for (const [path, text] of Object.entries(EXACT)) plant(path, text)
  const report = JSON.parse(await lint()) as Found[]
  for (const { filePath, messages } of report) found.set(relative(root, filePath), messages)
}, LINT_MS_MAX)

afterAll(() => rmSync(root, { recursive: true, force: true }))

const messagesOf = (path: string): Found['messages'] => {
  const messages = found.get(path)
  if (messages === undefined) throw new Error(`${path} was not linted`)
  return messages
}

const numbered = (texts: readonly string[]): [string, number][] => texts.map((text, index) => [text, index])

const expectOffence = (path: string, index: number): void => {
  const restricted = messagesOf(plantedPath(path, index)).filter(({ ruleId }) => ruleId?.startsWith('no-restricted-'))
  expect(restricted.length).toBeGreaterThan(0)
}

const expectClean = (path: string, text: string): void => {
  const texts = PLANTED[path] ?? []
  expect(messagesOf(plantedPath(path, texts.indexOf(text)))).toEqual([])
}

describe('determinism of machines', () => {
  test.each(numbered(IN_MACHINE))('refuses %j in a machine and in a reference', (_text, index) => {
    expectOffence(MACHINE, index)
    expectOffence(REFERENCE, index)
  })

  test.each(FINE_IN_MACHINE)('allows %j in a machine', (text) => expectClean(MACHINE, text))

  test('holds for the binary headers of the kernel', () => {
    expect(messagesOf(KERNEL)).toHaveLength(1)
  })

  test('holds for AssemblyScript, whose decorators are no fault', () => {
    expectOffence(ASSEMBLY, 0)
    expectOffence(ASSEMBLY, 1)
    expect(messagesOf(plantedPath(ASSEMBLY, 2))).toEqual([])
  })
})

describe('clock, chance and timers elsewhere', () => {
  test.each(numbered(IN_SERVICE))('refuses %j in a service, naming the port', (text, index) => {
    const [first] = messagesOf(plantedPath(SERVICE, index))
    expect(first?.message).toMatch(/Clock port|Random or Ids port/)
    expectClean(ADAPTER, text)
  })

  test.each(FINE_IN_SERVICE)('allows %j in a service', (text) => expectClean(SERVICE, text))

  test('allows timers in a main', () => expect(messagesOf(MAIN)).toEqual([]))
})

describe('promises and types', () => {
  test.each([
    ['no-floating-promises', 0],
    ['no-misused-promises', 1],
    ['no-explicit-any', 2],
    ['consistent-type-imports', 3],
    ['no-unused-vars', 4],
  ])('%s is an error', (rule, index) => {
    const [first] = messagesOf(plantedPath(SERVICE, IN_SERVICE.length + FINE_IN_SERVICE.length + index))
    expect(first?.ruleId).toBe(`@typescript-eslint/${rule}`)
  })
})
