/** Small rules about text that no compiler knows. Each message says what to do instead. */
import type { Problem, SourceFile } from './files.ts'
import { checkContracts } from './tidy-contracts.ts'

/** A banned pattern, where it is looked for, and the replacement. */
interface Ban {
  readonly pattern: RegExp
  readonly paths: RegExp
  readonly except?: RegExp
  readonly message: string
}

/** Limits on size. Tests are tables and may be longer. */
const LINES_MAX = 500
const TEST_LINES_MAX = 900
const COLUMNS_MAX = 130

const CODE = /\.(ts|tsx|mts|mjs|js)$/
const ANY = /./
const GENERATED = /(^|\/)generated\/|\.generated\.|^package-lock\.json$|^docs\/openapi\.json$/
const DATA = /\.(csv|json|html|css)$/

/** Joins the halves of a banned word, so that this file does not contain it and pass for an offender. */
const word = (...halves: string[]): string => halves.join('')

const BANS: readonly Ban[] = [
  {
    pattern: new RegExp(word('parse', 'Float\\(')),
    paths: CODE,
    message: 'money is never a float: parse with @bourse/common/money/amount.ts',
  },
  {
    pattern: new RegExp(word('as ', 'any\\b')),
    paths: CODE,
    message: 'name the type, or narrow from unknown',
  },
  {
    pattern: new RegExp(word('\\bTO', 'DO\\b|\\bFIX', 'ME\\b|\\bXX', 'X\\b')),
    paths: CODE,
    message: 'finish it or leave it out',
  },
  {
    pattern: new RegExp(word('\\bnot imple', 'mented\\b')),
    paths: CODE,
    message: 'write it or leave it out',
  },
  {
    pattern: new RegExp(word('(?<![\\w-])cons', 'ole\\.(?=\\w)')),
    paths: CODE,
    message: 'log through the pino logger in deps; commands write to process.stdout',
  },
  {
    pattern: new RegExp(word('eslint', '-disable')),
    paths: CODE,
    message: 'mend the code instead of silencing the check',
  },
  {
    pattern: new RegExp(word('@ts-', 'ignore|@ts-', 'nocheck')),
    paths: CODE,
    message: 'mend the type (asc needs no comment above a decorator)',
  },
  {
    pattern: new RegExp(word('\\.on', 'ly\\(|\\bfdes', 'cribe\\(')),
    paths: CODE,
    message: 'a narrowed run hides the other tests',
  },
  {
    pattern: new RegExp(word('\\.sk', 'ip\\(|\\bx(it|test|describe)\\(|\\.to', 'do\\(')),
    paths: CODE,
    except: /^services\/common\/src\/testkit\/skip\.ts$/,
    message: 'skip through skipWithReason, describeUnless or testUnless of @bourse/common/testkit/skip.ts',
  },
  {
    pattern: /Math\.(round|ceil|floor)\([^)]*([Pp]rice|[Aa]mount|[Mm]argin|[Bb]alance|[Nn]otional)/,
    paths: /^(services|risk-rules|operator|load)\/.*\.tsx?$/,
    message: 'money is bigint units: floorTo, ceilTo, mulDivFloor, … of @bourse/common/money/rounding.ts',
  },
  {
    pattern: new RegExp(
      [
        word('registry\\.', 'npmjs\\.org'),
        word('proxy\\.', 'golang\\.org'),
        word('pypi\\.', 'org/simple'),
        word('files\\.', 'pythonhosted'),
        word('deb\\.', 'debian\\.org'),
        word('repo1?\\.', 'maven'),
      ].join('|'),
    ),
    paths: ANY,
    except: /^docs\/decisions\//,
    message: "a registry's address belongs to the machine's configuration",
  },
  {
    pattern: new RegExp(`(^|[^A-Za-z0-9_.])/(${word('wo', 'rk')}|${word('fa', 'rm')}|${word('ho', 'me')}|Users|root)/`),
    paths: ANY,
    message: 'a path of one machine: make it relative to the repository, or take it from configuration',
  },
]

/** What holds for a generated file too: no addresses, no paths of a machine. */
const bansFor = (path: string): readonly Ban[] =>
  GENERATED.test(path) ? BANS.filter(({ paths }) => paths === ANY) : BANS

const checkLine = (path: string, text: string, line: number): Problem[] => {
  const problems = bansFor(path)
    .filter(({ paths, except }) => paths.test(path) && except?.test(path) !== true)
    .filter(({ pattern }) => pattern.test(text))
    .map(({ pattern, message }) => ({ path, line, message: `'${pattern.exec(text)?.[0].trim() ?? ''}': ${message}` }))
  if (GENERATED.test(path)) return problems
  if (!DATA.test(path) && /[ \t]+$/.test(text)) problems.push({ path, line, message: 'ends in white space' })
  if (CODE.test(path) && text.length > COLUMNS_MAX) {
    problems.push({ path, line, message: `${text.length} columns, at most ${COLUMNS_MAX}` })
  }
  return problems
}

const checkLength = ({ path, text }: SourceFile): Problem[] => {
  const count = text.split('\n').length - 1
  const most = /\.test\.ts$/.test(path) ? TEST_LINES_MAX : LINES_MAX
  if (!CODE.test(path) || GENERATED.test(path) || count <= most) return []
  return [{ path, line: 0, message: `${count} lines, at most ${most}: would one reading hold it?` }]
}

/** All faults of tidiness in `files`. Generated files answer only for addresses and paths in them. */
export const checkTidy = (files: readonly SourceFile[]): Problem[] => {
  const perFile = files.flatMap((file) => [
    ...file.text.split('\n').flatMap((text, index) => checkLine(file.path, text, index + 1)),
    ...checkLength(file),
  ])
  return [...perFile, ...checkContracts(files)]
}
