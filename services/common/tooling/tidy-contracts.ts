/**
 * A port's promises are numbered clauses in the prose above its interface (` * J3 …`). Each port has a contract suite,
 * each clause stands in the title of a test of that suite, and some test file runs the suite.
 */
import { basename } from 'node:path'
import type { Problem, SourceFile } from './files.ts'

const PORT = /^services\/common\/src\/ports\/[^/]+\.ts$/
const SUITE = /^services\/common\/src\/testkit\/contracts\/.+\.ts$/
const TEST = /\.test\.ts$/
const CLAUSE = /^\s*\*\s+(?<clause>[A-Z]{1,2}\d+)\s/gmu

const clausesOf = ({ text }: SourceFile): string[] =>
  [...text.matchAll(CLAUSE)].map((match) => match.groups?.['clause'] ?? '')

/** Suites of the port `journal` are `journal.ts`, `journal.contract.ts`, `journal-archive.ts` and the like. */
const isSuiteOf = (port: string, path: string): boolean =>
  SUITE.test(path) && new RegExp(`^${port}[.-]`).test(basename(path))

/** Whether a quoted text that begins with clauses names this one: `'J3 …'`, `'J3, J4 …'`. */
const isTitled = (clause: string, text: string): boolean =>
  new RegExp(`['"\`](?:[A-Z]{1,2}\\d+[ ,/:]+(?:and )?)*${clause}\\b`).test(text)

const isImported = (suite: SourceFile, text: string): boolean => text.includes(`contracts/${basename(suite.path)}`)

const checkPort = (port: SourceFile, files: readonly SourceFile[]): Problem[] => {
  const clauses = clausesOf(port)
  if (clauses.length === 0) return []
  const name = basename(port.path, '.ts')
  const suites = files.filter(({ path }) => isSuiteOf(name, path))
  const report = (message: string): Problem => ({ path: port.path, line: 0, message })
  if (suites.length === 0) return [report(`has no contract suite services/common/src/testkit/contracts/${name}.ts`)]
  const missing = clauses.filter((clause) => !suites.some(({ text }) => isTitled(clause, text)))
  const isRun = files.some(({ path, text }) => TEST.test(path) && suites.some((suite) => isImported(suite, text)))
  return [
    ...missing.map((clause) => report(`clause ${clause} is in no test title of its contract suite`)),
    ...(isRun ? [] : [report('no test file runs its contract suite')]),
  ]
}

/** Faults of the ports' contract suites. */
export const checkContracts = (files: readonly SourceFile[]): Problem[] =>
  files.filter(({ path }) => PORT.test(path)).flatMap((port) => checkPort(port, files))
