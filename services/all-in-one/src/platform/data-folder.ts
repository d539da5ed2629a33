import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

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
