import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import type { Views } from '../../src/ports/views.ts'
import type { Opened } from '../../src/testkit/contracts/scenario.ts'
import { otherModel, sampleModel, viewsContract } from '../../src/testkit/contracts/views.contract.ts'
import { CALL_FAULTS, faultSets } from '../../src/testkit/faults/plan.ts'

const models = [sampleModel, otherModel]

const open = async (): Promise<Opened<Views>> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-views-'))
  const path = join(folder, 'views.sqlite')
  let views = openSqliteViews({ path, models })
  return {
    port: views,
    reopen: async () => {
      await views.close()
      views = openSqliteViews({ path, models })
      return views
    },
    destroy: async () => {
      await views.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

for (const faults of faultSets(...CALL_FAULTS)) {
  viewsContract({ name: 'views on SQLite', open, faults })
}
