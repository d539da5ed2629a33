import { openMongoDirectory } from '../../../src/adapters/mongodb/directory.ts'
import type { Directory } from '../../../src/ports/directory.ts'
import { directoryContract } from '../../../src/testkit/contracts/directory.contract.ts'
import type { Opened } from '../../../src/testkit/contracts/scenario.ts'
import { clock, connect, connectAgain, discard } from '../mongodb/support.ts'
import { contractKinds, describeOnMongo, type SharedServer } from '../mongodb/subjects.ts'

const open = async (server: SharedServer): Promise<Opened<Directory>> => {
  const first = await connect(server.current())
  const connections = [first]
  return {
    port: await openMongoDirectory(first, { clock }),
    reopen: async () => {
      const again = await connectAgain(server.current(), first)
      connections.push(again)
      return openMongoDirectory(again, { clock })
    },
    destroy: async () => {
      for (const other of connections.slice(1)) await other.close()
      await discard(first)
    },
  }
}

for (const { kind, faults: sets } of contractKinds) {
  describeOnMongo(kind, 'contract of the directory', (server) => {
    for (const faults of sets) {
      directoryContract({ name: `the directory on ${server.label}`, open: () => open(server), faults })
    }
  })
}
