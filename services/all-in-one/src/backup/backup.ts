import { copyFile, cp, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { dataFolderAt, type DataFolder } from '../platform/data-folder.ts'
import { openData } from '../verification/open-data.ts'
import { verifyPlatform, type VerificationReport } from '../verification/verify.ts'
import { compareInventory, INVENTORY_FILE, takeInventory, type Inventory } from './inventory.ts'

/** A backup that can't be made or used; the message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

const isThere = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const requireEmpty = async (folder: string): Promise<void> => {
  const names = (await isThere(folder)) ? await readdir(folder) : []
  if (names.length > 0) throw new BackupError(`${folder} is not empty; name a new folder`)
}

/** Copies a SQLite file as of one moment, while others write to it. */
const copyLive = async (from: string, to: string): Promise<void> => {
  if (!(await isThere(from))) return
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const source = new DatabaseSync(from, { readOnly: true })
  try {
    await copyDatabase(source, to)
  } finally {
    source.close()
  }
}

/** Copies snapshots; one that rotation removes meanwhile is left out: a newer one is copied. */
const copySnapshots = async (from: string, to: string): Promise<void> => {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.snapshot')) continue
    const target = join(to, entry.parentPath.slice(from.length), entry.name)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await copyFile(join(entry.parentPath, entry.name), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

const writeSynced = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

const SIMULATOR_FILES = ['mock-exchange.sqlite', 'mock-bank.sqlite']

/** Views are not copied: they are rebuilt from the journal. */
const copyAll = async (from: DataFolder, to: DataFolder): Promise<void> => {
  // Snapshots before the journal, so that none is ahead of it; the directory after it, so that no owner in it is
  // unknown.
  await copySnapshots(from.snapshots, to.snapshots)
  await copyLive(from.journal, to.journal)
  await copyLive(from.directory, to.directory)
  for (const name of SIMULATOR_FILES) await copyLive(join(from.simulators, name), join(to.simulators, name))
  if (await isThere(from.secrets)) await cp(from.secrets, to.secrets, { recursive: true })
}

const verified = async (folder: string, clock: Clock): Promise<VerificationReport> => {
  const data = await openData(folder, clock)
  try {
    return await verifyPlatform(data)
  } finally {
    await data.close()
    for (const name of await readdir(folder)) if (name.endsWith('.lock')) await rm(join(folder, name), { force: true })
  }
}

/**
 * Copies the data of a running (or stopped) platform to a new folder, consistent in itself, and verifies the copy by a
 * full replay.
 * @throws {BackupError} when the target is in use or the copy does not verify.
 */
export const makeBackup = async (dataDir: string, out: string, clock: Clock): Promise<VerificationReport> => {
  if (!(await isThere(dataFolderAt(dataDir).journal)))
    throw new BackupError(`${dataDir} holds no journal; name the data folder`)
  await requireEmpty(out)
  await mkdir(out, { recursive: true, mode: 0o700 })
  await copyAll(dataFolderAt(dataDir), dataFolderAt(out))
  const report = await verified(out, clock)
  if (!report.ok)
    throw new BackupError(`the copy does not verify: ${report.faults[0]?.message ?? 'no reason'}; it is left in ${out}`)
  const inventory: Inventory = {
    format: 1,
    createdAt: new Date(clock.nowMs()).toISOString(),
    files: await takeInventory(out),
  }
  await writeSynced(join(out, INVENTORY_FILE), `${JSON.stringify(inventory, null, 2)}\n`)
  return report
}

/**
 * Puts a backup into a new data folder after checking every file against the inventory, and verifies the result by a
 * full replay.
 * @throws {BackupError} when a file differs, the target is not empty, or the result does not verify.
 */
export const restoreBackup = async (from: string, dataDir: string, clock: Clock): Promise<VerificationReport> => {
  const text = await readFile(join(from, INVENTORY_FILE), 'utf8').catch(() => {
    throw new BackupError(`${from} has no ${INVENTORY_FILE}: it is no finished backup`)
  })
  const inventory = JSON.parse(text) as Inventory
  const faults = compareInventory(inventory.files, await takeInventory(from))
  if (faults.length > 0) throw new BackupError(`the backup is damaged: ${faults.join('; ')}`)
  await requireEmpty(dataDir)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  for (const { path } of inventory.files) {
    const target = join(dataDir, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await copyFile(join(from, path), target)
  }
  const report = await verified(dataDir, clock)
  if (!report.ok)
    throw new BackupError(`what was restored does not verify: ${report.faults[0]?.message ?? 'no reason'}`)
  return report
}
