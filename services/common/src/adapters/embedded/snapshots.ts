import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '../../ports/snapshots.ts'

const NAME = /^(\d{20})-([0-9a-f]{64})\.snapshot$/
const ASIDE = '.writing'

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const failure = (error: unknown, path: string): PortError => {
  if (error instanceof PortError) return error
  const kind = codeOf(error) === 'ENOSPC' ? 'full' : 'unavailable'
  return new PortError(kind, `${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

interface Found extends SnapshotInfo {
  readonly path: string
}

/**
 * Snapshots as files, a folder per partition. The name holds sequence and SHA-256; a file is written aside, synced, renamed, and the
 * folder synced, so that a name that is there names a whole file.
 */
export const openFileSnapshots = async (options: { readonly folder: string; readonly clock: Clock }): Promise<Snapshots> => {
  let closed = false
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  for (const entry of await readdir(options.folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(ASIDE)) await rm(join(entry.parentPath, entry.name), { force: true })
  }
  const folderOf = (partition: PartitionNumber): string => join(options.folder, partition.toString(16).padStart(8, '0'))
  const guard = (): void => {
    if (closed) throw new PortError('closed', 'the snapshots are closed')
  }

  const find = async (partition: PartitionNumber): Promise<Found[]> => {
    guard()
    const folder = folderOf(partition)
    const names = await readdir(folder).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return []
      throw failure(error, folder)
    })
    const found: Found[] = []
    for (const name of names) {
      const match = NAME.exec(name)
      if (match === null) continue
      const path = join(folder, name)
      const { size, mtimeMs } = await stat(path)
      found.push({ sequence: BigInt(match[1]!), sha256: match[2]!, bytes: size, atMs: Math.trunc(mtimeMs), path })
    }
    return found.sort((a, b) => (a.sequence > b.sequence ? -1 : a.sequence < b.sequence ? 1 : b.atMs - a.atMs))
  }

  const write = async (partition: PartitionNumber, sequence: bigint, bytes: Uint8Array): Promise<SnapshotInfo> => {
    guard()
    const folder = folderOf(partition)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const path = join(folder, `${sequence.toString().padStart(20, '0')}-${sha256}.snapshot`)
    try {
      const older = (await find(partition)).filter((other) => other.sequence === sequence && other.path !== path)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = await open(`${path}${ASIDE}`, 'w', 0o600)
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}${ASIDE}`, path)
      for (const replaced of older) await rm(replaced.path, { force: true })
      await syncFolder(folder)
      return { sequence, bytes: bytes.length, sha256, atMs: options.clock.nowMs() }
    } catch (error) {
      await rm(`${path}${ASIDE}`, { force: true })
      throw failure(error, path)
    }
  }

  return {
    write,
    list: async (partition) =>
      (await find(partition)).map(({ sequence, bytes, sha256, atMs }) => ({ sequence, bytes, sha256, atMs })),
    read: async (partition, sequence) => {
      const found = (await find(partition)).find((info) => info.sequence === sequence)
      if (found === undefined) return null
      const bytes = await readFile(found.path).catch((error: unknown) => {
        throw failure(error, found.path)
      })
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      if (sha256 !== found.sha256) throw new PortError('corrupt', `snapshot ${sequence}: its SHA-256 is not the recorded one`)
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    },
    remove: async (partition, sequence) => {
      for (const found of await find(partition)) if (found.sequence === sequence) await rm(found.path, { force: true })
    },
    close: async () => {
      closed = true
    },
  }
}
