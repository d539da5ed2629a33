import { execFile } from 'node:child_process'
import { mkdir, statfs, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A small disk in memory. */
export interface SmallDisk {
  readonly folder: string
  unmount(): Promise<void>
}

/** Mounts one, or says why there can be none. */
export const mountSmallDisk = async (folder: string, bytes: number): Promise<SmallDisk | string> => {
  await mkdir(folder, { recursive: true })
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  } catch {
    return 'a small disk can be mounted by root only'
  }
  return { folder, unmount: async () => void (await run('umount', ['-l', folder])) }
}

/** Writes a file that leaves the disk so little room. */
export const fillDisk = async (folder: string, file: string, freeRatio: number): Promise<void> => {
  const { blocks, bavail, bsize } = await statfs(folder)
  const bytes = Math.max(0, Math.floor((bavail - blocks * freeRatio) * bsize))
  await writeFile(file, Buffer.alloc(bytes))
}
