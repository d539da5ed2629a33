/** Checks every import against the table of rooms: direction, doors between workspaces, and circles. */
import { posix } from 'node:path'
import ts from 'typescript'
import { lineAt } from './files.ts'
import type { Problem, SourceFile } from './files.ts'
import { NEEDS_ROOM, ROOMS } from './rooms-table.ts'
import type { Room } from './rooms-table.ts'

/** One import from a room into another. */
interface Arrow {
  readonly from: Room
  readonly to: Room
  readonly path: string
  readonly line: number
}

type Target = { readonly path: string } | { readonly refusal: string } | undefined

const roomOf = (path: string): Room | undefined => ROOMS.find(({ paths }) => paths.test(path))

const workspaceOf = (path: string): string => /^(risk-rules|services\/[^/]+|[^/]+)\//.exec(path)?.[1] ?? ''

/** `@bourse/common/money/amount.ts` → `services/common/src/money/amount.ts`, as the packages' exports say. */
const pathOfPackage = (specifier: string): string => {
  const [, name = '', ...rest] = specifier.split('/')
  if (name === 'operator') return posix.join('operator', 'src', ...rest)
  if (name !== 'risk-rules') return posix.join('services', name, 'src', ...rest)
  return rest[0] === 'reference' ? posix.join('risk-rules', ...rest) : posix.join('risk-rules', 'src', ...rest)
}

/** Where an import of `path` leads inside the repository; undefined for packages and Node's own modules. */
const targetOf = (path: string, specifier: string): Target => {
  if (specifier.startsWith('@bourse/')) return { path: pathOfPackage(specifier) }
  if (!specifier.startsWith('.')) return undefined
  const target = posix.join(posix.dirname(path), specifier)
  if (workspaceOf(target) === workspaceOf(path)) return { path: target }
  return { refusal: `'${specifier}' leaves the workspace: import it as @bourse/<workspace>/…` }
}

const importsOf = ({ text }: SourceFile): { specifier: string; line: number }[] =>
  ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName, pos }) => ({ specifier: fileName, line: lineAt(text, pos) }))

const refusalOf = (from: Room, target: string, to: Room | undefined): string | undefined => {
  if (to === undefined)
    return `${target} stands in no room: only files of the rooms in rooms-table.ts may be imported here`
  if (to === from || from.imports.includes(to.name)) return undefined
  return `room ${from.name} may not import room ${to.name} (${target}); it may import: ${from.imports.join(', ') || 'nothing'}`
}

const checkFile = (file: SourceFile, arrows: Arrow[]): Problem[] => {
  const from = roomOf(file.path)
  if (from === undefined) {
    const message =
      'stands in no room: move it, or add its folder with its arrows to services/common/tooling/rooms-table.ts'
    return [{ path: file.path, line: 0, message }]
  }
  return importsOf(file).flatMap(({ specifier, line }) => {
    const target = targetOf(file.path, specifier)
    if (target === undefined) return []
    if ('refusal' in target) return [{ path: file.path, line, message: target.refusal }]
    const to = roomOf(target.path)
    if (to !== undefined && to !== from) arrows.push({ from, to, path: file.path, line })
    const message = refusalOf(from, target.path, to)
    return message === undefined ? [] : [{ path: file.path, line, message }]
  })
}

/** The shortest way along arrows from `start` back to `goal`, as room names, or undefined. */
const wayBack = (arrows: readonly Arrow[], start: Room, goal: Room): string[] | undefined => {
  const cameFrom = new Map<Room, Room | undefined>([[start, undefined]])
  for (const room of cameFrom.keys()) {
    if (room === goal) {
      const way: string[] = []
      for (let at: Room | undefined = room; at !== undefined; at = cameFrom.get(at)) way.unshift(at.name)
      return way
    }
    for (const { from, to } of arrows) if (from === room && !cameFrom.has(to)) cameFrom.set(to, room)
  }
  return undefined
}

/** One problem per circle, at the first import that takes part in it. */
const circlesOf = (arrows: readonly Arrow[]): Problem[] => {
  const seen = new Set<string>()
  return arrows.flatMap(({ from, to, path, line }) => {
    const way = wayBack(arrows, to, from)
    if (way === undefined) return []
    const key = [...way].sort().join()
    if (seen.has(key)) return []
    seen.add(key)
    return [{ path, line, message: `rooms import one another in a circle: ${[from.name, ...way].join(' → ')}` }]
  })
}

/** All faults of direction in `files`. Type-only imports count: a room must be readable without what lies outside. */
export const checkRooms = (files: readonly SourceFile[]): Problem[] => {
  const arrows: Arrow[] = []
  const problems = files.filter(({ path }) => NEEDS_ROOM.test(path)).flatMap((file) => checkFile(file, arrows))
  return [...problems, ...circlesOf(arrows)]
}
