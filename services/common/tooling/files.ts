/** The repository's text files, for the checks that read them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** One text file: its path from the root, with `/` between the parts, and its lines. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Something a check found, and what to do instead. Lines start at 1; 0 is the file as a whole. */
export interface Problem {
  readonly path: string
  readonly line: number
  readonly message: string
}

const SKIPPED_FOLDERS = new Set(['node_modules', '.git', '.bourse', 'coverage', 'build', 'dist'])
const TEXT =
  /\.(ts|tsx|mts|mjs|js|json|md|ya?ml|sh|csv|html|css|toml|tpl)$|^\.ci\/|^\.(npmrc|gitignore|gitattributes)$|Dockerfile$/
const LOCAL = /(^|\/)(\.bourse[^/]*|\.setup-lock[^/]*|[^/]*\.log)(\/|$)/

const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : walk(join(folder, entry.name))
    return entry.isFile() ? [join(folder, entry.name)] : []
  })

/** All text files under `root`, sorted by path. What git ignores (packages, builds, data) is left out. */
export const readSourceFiles = (root: string): SourceFile[] =>
  walk(root)
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => TEXT.test(path) && !LOCAL.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** The line (from 1) on which the character at `offset` stands. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length
