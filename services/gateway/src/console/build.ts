import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DOCUMENT } from './pages.ts'

/** Files of a build at most, those compressed included. */
export const BUILD_FILES_MAX = 500
/** Bytes of a build at most, those compressed included: all of them are kept in memory. */
export const BUILD_BYTES_MAX = 33_554_432

/** Where `npm run build` puts what browsers load. */
export const BUILD_FOLDER = fileURLToPath(new URL('../../../console/build/', import.meta.url))

/** The forms a file is kept in, the smallest first. */
export const CODINGS = ['br', 'gzip', 'identity'] as const
/** One of `CODINGS`. */
export type Coding = (typeof CODINGS)[number]

/** One form of a file. */
export interface CodedFile {
  readonly bytes: Buffer
  /** Strong: of these very bytes. */
  readonly etag: string
}

/** A file of the console, whole in memory. */
export interface ConsoleFile {
  readonly contentType: string
  /** Its name has a hash of its content, so that it never changes. */
  readonly isImmutable: boolean
  readonly coded: Readonly<Partial<Record<Coding, CodedFile>>> & { readonly identity: CodedFile }
}

/** The files of a build by path, `/assets/index-1a2b3c4d.js`. */
export type ConsoleBuild = ReadonlyMap<string, ConsoleFile>

/** Every kind of file that a build may have; another one is a reason not to start, since nobody decided how it is served. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/vnd.microsoft.icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const CODING_OF_EXTENSION: Readonly<Record<string, Exclude<Coding, 'identity'>>> = { '.br': 'br', '.gz': 'gzip' }
/** How Vite names a file by its content. */
const HASHED = /^\/assets\/[^/]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/
const ETAG_CHARACTERS = 22

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Paths of all files below a folder, `/` first; without what begins with a dot. Null when there is no such folder. */
const pathsBelow = async (folder: string): Promise<readonly string[] | null> => {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => `/${relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')}`)
      .filter((path) => !path.includes('/.'))
      .sort()
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Refuses a build that is too large before anything of it is read. */
const checkSize = async (folder: string, paths: readonly string[]): Promise<void> => {
  if (paths.length > BUILD_FILES_MAX)
    throw new Error(`${folder} has ${paths.length} files, more than ${BUILD_FILES_MAX}; is it a build of the console?`)
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(folder, path))).size))
  const bytes = sizes.reduce((total, size) => total + size, 0)
  if (bytes > BUILD_BYTES_MAX)
    throw new Error(`${folder} has ${bytes} bytes, more than ${BUILD_BYTES_MAX}; is it a build of the console?`)
}

const codedFile = (bytes: Buffer): CodedFile => ({
  bytes,
  etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, ETAG_CHARACTERS)}"`,
})

const contentTypeOf = (folder: string, path: string): string => {
  const contentType = CONTENT_TYPES[extname(path)]
  if (contentType !== undefined) return contentType
  throw new Error(`nobody decided how to serve ${join(folder, path)}; remove it, or add its kind to console/build.ts`)
}

/**
 * Reads a build of the console whole into memory; null when there is none.
 * @throws Error when it is too large, or has a file of a kind that is not known, or a compressed one without the file itself
 */
export const readConsoleBuild = async (folder: string): Promise<ConsoleBuild | null> => {
  const paths = await pathsBelow(folder)
  if (paths === null || !paths.includes(DOCUMENT)) return null
  await checkSize(folder, paths)
  const plain = paths.filter((path) => CODING_OF_EXTENSION[extname(path)] === undefined)
  const files = new Map<string, ConsoleFile>()
  for (const path of plain) {
    const contentType = contentTypeOf(folder, path)
    const identity = codedFile(await readFile(join(folder, path)))
    files.set(path, { contentType, isImmutable: HASHED.test(path), coded: { identity } })
  }
  for (const path of paths) {
    const coding = CODING_OF_EXTENSION[extname(path)]
    if (coding === undefined) continue
    const of = path.slice(0, -extname(path).length)
    const file = files.get(of)
    if (file === undefined) throw new Error(`${join(folder, path)} is a form of ${of}, which is not there; build again`)
    files.set(of, { ...file, coded: { ...file.coded, [coding]: codedFile(await readFile(join(folder, path))) } })
  }
  return files
}
