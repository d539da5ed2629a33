import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '../../ports/snapshots.ts'

/**
 * A snapshot's file: the bytes as given, then a footer of 56 bytes, little endian:
 *
 *   0 u32 magic 'BJS1' │ 4 u32 zero │ 8 u64 bytes │ 16 u64 atMs │ 24 SHA-256 of the bytes
 *
 * Files are `<folder>/<partition, 8 hex>/<sequence, 20 digits>.snapshot`.
 */
const FOOTER_BYTES = 56
const MAGIC = 0x31534a42
const SUFFIX = '.snapshot'
/** Ending of a file that is being written. */
const PARTIAL = '.partial'

const partitionFolder = (partition: PartitionNumber): string => partition.toString(16).padStart(8, '0')
const fileName = (sequence: bigint): string => `${sequence.toString().padStart(20, '0')}${SUFFIX}`

/** Bytes that are hashed in one turn, so that others have theirs. */
const HASH_BYTES = 4 * 1024 * 1024

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** SHA-256 in lower-case hex. In place: a thread of its own would need a copy of them, which takes longer than hashing them. */
const sha256 = async (bytes: Uint8Array): Promise<string> => {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASH_BYTES) {
    if (at > 0) await turn()
    hash.update(bytes.subarray(at, at + HASH_BYTES))
  }
  return hash.digest('hex')
}

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'

const encodeFooter = (info: SnapshotInfo): Uint8Array => {
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.writeUInt32LE(MAGIC, 0)
  footer.writeBigUInt64LE(BigInt(info.bytes), 8)
  footer.writeBigUInt64LE(BigInt(info.atMs), 16)
  footer.write(info.sha256, 24, 'hex')
  return footer
}

/** Reads what the file says about itself; null when it is not whole. */
const readInfo = async (file: FileHandle, sequence: bigint): Promise<SnapshotInfo | null> => {
  const { size } = await file.stat()
  if (size < FOOTER_BYTES) return null
  const footer = Buffer.alloc(FOOTER_BYTES)
  await file.read(footer, 0, FOOTER_BYTES, size - FOOTER_BYTES)
  const bytes = Number(footer.readBigUInt64LE(8))
  if (footer.readUInt32LE(0) !== MAGIC || bytes !== size - FOOTER_BYTES) return null
  return { sequence, bytes, sha256: footer.toString('hex', 24), atMs: Number(footer.readBigUInt64LE(16)) }
}

/** Opens for reading; null when there is no such file. */
const openExisting = async (path: string): Promise<FileHandle | null> => {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const flushFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Writes aside, flushes, renames, flushes the folder: after a crash the file is whole or not there. */
const writeWhole = async (folder: string, name: string, aside: string, parts: readonly Uint8Array[]): Promise<void> => {
  const path = join(folder, aside)
  try {
    const file = await open(path, 'w')
    try {
      for (const part of parts) await file.writeFile(part)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(path, join(folder, name))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  await flushFolder(folder)
}

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

const clearLeftovers = async (folder: string): Promise<void> => {
  for (const partition of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, partition))) {
      if (name.endsWith(PARTIAL)) await rm(join(folder, partition, name), { force: true })
    }
  }
}

const listFolder = async (folder: string): Promise<readonly SnapshotInfo[]> => {
  const names = (await namesIn(folder))
    .filter((name) => /^\d{20}\.snapshot$/u.test(name))
    .sort()
    .reverse()
  const found: SnapshotInfo[] = []
  for (const name of names) {
    const file = await openExisting(join(folder, name))
    if (file === null) continue
    try {
      const info = await readInfo(file, BigInt(name.slice(0, 20)))
      // Written whole, so cut short since: listed, that its reader hears of it and rotation removes it.
      found.push(info ?? { sequence: BigInt(name.slice(0, 20)), bytes: 0, sha256: '', atMs: 0 })
    } finally {
      await file.close()
    }
  }
  return found
}

const readWhole = async (path: string, sequence: bigint): Promise<Uint8Array | null> => {
  const file = await openExisting(path)
  if (file === null) return null
  try {
    const info = await readInfo(file, sequence)
    if (info === null) throw new PortError('corrupt', `snapshot ${path} is cut short or not a snapshot`)
    const bytes = new Uint8Array(info.bytes)
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, at)
      if (bytesRead === 0) throw new PortError('corrupt', `snapshot ${path} is cut short`)
      at += bytesRead
    }
    if ((await sha256(bytes)) !== info.sha256) {
      throw new PortError('corrupt', `snapshot ${path}: its bytes do not match its SHA-256`)
    }
    return bytes
  } finally {
    await file.close()
  }
}

/**
 * Snapshots as files. Opening clears what interrupted writes left behind; the folder belongs to one process.
 * @throws {PortError} `unavailable` when the folder can't be made or read.
 */
export const openFileSnapshots = async (options: {
  readonly folder: string
  readonly clock: Clock
}): Promise<Snapshots> => {
  const { folder, clock } = options
  let isClosed = false
  let writes = 0
  const pathOf = (partition: PartitionNumber, sequence: bigint): string =>
    join(folder, partitionFolder(partition), fileName(sequence))
  const attempt = async <Value>(task: () => Promise<Value>): Promise<Value> => {
    if (isClosed) throw new PortError('closed', 'snapshots are closed')
    try {
      return await task()
    } catch (error) {
      if (error instanceof PortError) throw error
      throw new PortError('unavailable', 'the snapshot folder refused', { cause: error })
    }
  }

  const write: Snapshots['write'] = async (partition, sequence, bytes) => {
    const target = join(folder, partitionFolder(partition))
    if ((await mkdir(target, { recursive: true })) !== undefined) await flushFolder(folder)
    const info: SnapshotInfo = { sequence, bytes: bytes.length, sha256: await sha256(bytes), atMs: clock.nowMs() }
    const aside = `${fileName(sequence)}.${++writes}${PARTIAL}`
    await writeWhole(target, fileName(sequence), aside, [bytes, encodeFooter(info)])
    return info
  }

  await attempt(async () => {
    await mkdir(folder, { recursive: true })
    await clearLeftovers(folder)
  })
  return {
    write: (partition, sequence, bytes) => attempt(() => write(partition, sequence, bytes)),
    list: (partition) => attempt(() => listFolder(join(folder, partitionFolder(partition)))),
    read: (partition, sequence) => attempt(() => readWhole(pathOf(partition, sequence), sequence)),
    remove: (partition, sequence) => attempt(() => rm(pathOf(partition, sequence), { force: true })),
    close: async () => {
      isClosed = true
    },
  }
}
