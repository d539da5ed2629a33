import { open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Turns one bit of a file over. */
export const flipByte = async (path: string, at: number): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    await file.write(Buffer.from([byte.readUInt8(0) ^ 1]), 0, 1, at)
  } finally {
    await file.close()
  }
}

/** Writes noise over a part of a file. */
export const scribble = async (path: string, at: number, bytes: number): Promise<void> => {
  const file = await open(path, 'r+')
  try {
    await file.write(Buffer.alloc(bytes, 0xa5), 0, bytes, at)
  } finally {
    await file.close()
  }
}

/** Cuts a file to so many percent of its length. */
export const cutTo = async (path: string, percent: number): Promise<void> => {
  const { size } = await stat(path)
  await truncate(path, Math.floor((size * percent) / 100))
}

/** Folds the write-ahead log into the file, as a stop in order does, so that the bytes to damage are in it. */
export const settle = (path: string): void => {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

/** Where in the file the body of a partition's record lies, and where a page that was split has left a copy of it. */
const placesOf = async (
  path: string,
  partition: number,
  sequence: number,
): Promise<{ at: number[]; bytes: number }> => {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare('SELECT body FROM records WHERE partition = ? AND sequence = ?').get(partition, sequence)
  database.close()
  const body = row?.['body']
  if (!(body instanceof Uint8Array)) throw new Error(`there is no record ${sequence} of partition ${partition}`)
  // A long body is cut up by overflow pages; its beginning, hash of the record before included, is found whole.
  const [file, beginning] = [await readFile(path), body.subarray(0, Math.min(body.length, 200))]
  const at: number[] = []
  for (let found = file.indexOf(beginning); found >= 0; found = file.indexOf(beginning, found + 1)) at.push(found)
  if (at.length === 0) throw new Error('the record is not in one piece')
  return { at, bytes: body.length }
}

/** Turns over one bit in the middle of a record's beginning, leaving the file sound for SQLite. */
export const flipRecord = async (path: string, partition: number, sequence: number): Promise<void> => {
  const { at, bytes } = await placesOf(path, partition, sequence)
  for (const one of at) await flipByte(path, one + Math.floor(Math.min(bytes, 200) / 2))
}

/** Turns over one bit in the newest snapshot of every partition, `fromEnd` bytes before its end; answers how many. */
export const flipSnapshots = async (folder: string, fromEnd: number): Promise<number> => {
  const partitions = await readdir(folder)
  let flipped = 0
  for (const partition of partitions) {
    const names = (await readdir(join(folder, partition))).filter((name) => name.endsWith('.snapshot')).sort()
    const newest = names.at(-1)
    if (newest === undefined) continue
    const path = join(folder, partition, newest)
    await flipByte(path, (await stat(path)).size - fromEnd)
    flipped += 1
  }
  return flipped
}

/** Makes a file of noise until the disk it is on has no room left. */
export const fillDisk = async (path: string): Promise<void> => {
  for (const bytes of [1 << 20, 1 << 16, 1 << 12, 1]) {
    for (;;) {
      const filled = await writeFile(path, Buffer.alloc(bytes), { flag: 'a' }).then(
        () => true,
        () => false,
      )
      if (!filled) break
    }
  }
}
