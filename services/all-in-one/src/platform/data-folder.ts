import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@bourse/common/ports/random.ts'

/** Where everything of the embedded profile lies. */
export interface DataFolder {
  readonly root: string
  readonly journal: string
  readonly snapshots: string
  readonly views: string
  readonly directory: string
  readonly simulators: string
  readonly secrets: string
}

/** The places inside a data folder. */
export const dataFolderAt = (root: string): DataFolder => ({
  root,
  journal: join(root, 'journal.sqlite'),
  snapshots: join(root, 'snapshots'),
  views: join(root, 'views.sqlite'),
  directory: join(root, 'directory.sqlite'),
  simulators: join(root, 'simulators'),
  secrets: join(root, 'secrets'),
})

/** Makes the folders, readable by this user alone. */
export const prepareDataFolder = async (folder: DataFolder): Promise<void> => {
  for (const path of [folder.root, folder.snapshots, folder.simulators, folder.secrets]) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  }
  await chmod(folder.secrets, 0o700)
}

/** A secret and whether it was made just now. */
export interface KeptSecret {
  readonly value: string
  readonly made: boolean
}

/** Bytes of chance in a secret that the platform makes. */
const SECRET_BYTES = 32

/**
 * A secret that the development profile makes once and keeps in the data folder (mode 0600), so that a restart has the
 * same.
 * Written aside and renamed: a crash leaves either none or the whole.
 */
export const keptSecret = async (folder: DataFolder, name: string, random: Random): Promise<KeptSecret> => {
  const path = join(folder.secrets, name)
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (known !== null && known.trim() !== '') return { value: known.trim(), made: false }
  const value = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')
  await writeSecret(folder, name, value)
  return { value, made: true }
}

/** Stores a secret in the data folder, replacing what was there. */
export const writeSecret = async (folder: DataFolder, name: string, value: string): Promise<void> => {
  const path = join(folder.secrets, name)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(`${value}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
