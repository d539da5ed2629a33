import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import type { Journal } from '../../src/ports/journal.ts'
import { journalContract } from '../../src/testkit/contracts/journal.contract.ts'
import type { Opened } from '../../src/testkit/contracts/scenario.ts'
import { CALL_FAULTS, faultSets } from '../../src/testkit/faults/plan.ts'

const open = async (): Promise<Opened<Journal>> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-journal-'))
  const path = join(folder, 'journal.sqlite')
  let journal = openSqliteJournal({ path })
  return {
    port: journal,
    reopen: async () => {
      await journal.close()
      journal = openSqliteJournal({ path })
      return journal
    },
    destroy: async () => {
      await journal.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

for (const faults of faultSets(...CALL_FAULTS)) journalContract({ name: 'the journal on SQLite', open, faults })
