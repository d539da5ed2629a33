import { openMongoJournal } from '../../../src/adapters/mongodb/journal.ts'
import type { Journal } from '../../../src/ports/journal.ts'
import { journalContract } from '../../../src/testkit/contracts/journal.contract.ts'
import type { Opened } from '../../../src/testkit/contracts/scenario.ts'
import { connect, connectAgain, discard } from '../mongodb/support.ts'
import { contractKinds, describeOnMongo, type SharedServer } from '../mongodb/subjects.ts'

const open = async (server: SharedServer): Promise<Opened<Journal>> => {
  const first = await connect(server.current())
  const connections = [first]
  return {
    port: await openMongoJournal(first),
    reopen: async () => {
      const again = await connectAgain(server.current(), first)
      connections.push(again)
      return openMongoJournal(again)
    },
    destroy: async () => {
      for (const other of connections.slice(1)) await other.close()
      await discard(first)
    },
  }
}

for (const { kind, faults: sets } of contractKinds) {
  describeOnMongo(kind, 'contract of the journal', (server) => {
    for (const faults of sets) {
      journalContract({ name: `the journal on ${server.label}`, open: () => open(server), faults })
    }
  })
}
