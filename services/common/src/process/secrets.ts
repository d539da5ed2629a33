import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Random } from '../ports/random.ts'

/** A folder that only this user can read. */
export interface SecretsFolder {
  readonly secrets: string
}

/** The folder `secrets` of a data folder, made when it is not there, readable by this user alone. */
export const openSecretsFolder = async (dataDir: string): Promise<SecretsFolder> => {
  const secrets = join(resolve(dataDir), 'secrets')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  await chmod(secrets, 0o700)
  return { secrets }
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
export const keptSecret = async (folder: SecretsFolder, name: string, random: Random): Promise<KeptSecret> => {
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

/** Stores a secret in the folder, replacing what was there. */
export const writeSecret = async (folder: SecretsFolder, name: string, value: string): Promise<void> => {
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
