import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import type { Directory } from '../../src/ports/directory.ts'
import { directoryContract } from '../../src/testkit/contracts/directory.contract.ts'
import type { Opened } from '../../src/testkit/contracts/scenario.ts'
import { CALL_FAULTS, faultSets } from '../../src/testkit/faults/plan.ts'

const clock = createSystemClock()

const open = async (): Promise<Opened<Directory>> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-directory-'))
  const path = join(folder, 'directory.sqlite')
  let directory = openSqliteDirectory({ path, clock })
  return {
    port: directory,
    reopen: async () => {
      await directory.close()
      directory = openSqliteDirectory({ path, clock })
      return directory
    },
    destroy: async () => {
      await directory.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

for (const faults of faultSets(...CALL_FAULTS)) directoryContract({ name: 'the directory on SQLite', open, faults })
