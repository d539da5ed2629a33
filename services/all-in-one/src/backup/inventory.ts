import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Name of the file that lists what a backup holds. */
export const INVENTORY_FILE = 'inventory.json'

/** One file of a backup. */
export interface InventoryItem {
  readonly path: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/** What a backup holds. */
export interface Inventory {
  readonly format: 1
  readonly createdAt: string
  readonly files: readonly InventoryItem[]
}

/** SHA-256 of a file, read in pieces. */
export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array)
  return hash.digest('hex')
}

/** Lists a folder's files with their sums, the inventory itself left out, in order of path. */
export const takeInventory = async (folder: string): Promise<InventoryItem[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const items: InventoryItem[] = []
  for (const path of paths.sort()) {
    const name = relative(folder, path)
    if (name === INVENTORY_FILE) continue
    items.push({ path: name, bytes: (await stat(path)).size, sha256: await sha256OfFile(path) })
  }
  return items
}

/** What differs between an inventory and the files that are there: a line each, none when all is well. */
export const compareInventory = (expected: readonly InventoryItem[], found: readonly InventoryItem[]): string[] => {
  const byPath = new Map(found.map((item) => [item.path, item]))
  const faults = expected.flatMap((item) => {
    const other = byPath.get(item.path)
    byPath.delete(item.path)
    if (other === undefined) return [`${item.path} is missing`]
    return other.sha256 === item.sha256 ? [] : [`${item.path} has SHA-256 ${other.sha256}, not ${item.sha256}`]
  })
  return [...faults, ...[...byPath.keys()].map((path) => `${path} is not in the inventory`)]
}
