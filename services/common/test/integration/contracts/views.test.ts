import { openMongoViews } from '../../../src/adapters/mongodb/views.ts'
import type { Views } from '../../../src/ports/views.ts'
import { otherModel, sampleModel, viewsContract } from '../../../src/testkit/contracts/views.contract.ts'
import type { Opened } from '../../../src/testkit/contracts/scenario.ts'
import { connect, connectAgain, discard } from '../mongodb/support.ts'
import { contractKinds, describeOnMongo, type SharedServer } from '../mongodb/subjects.ts'

const models = [sampleModel, otherModel]

const open = async (server: SharedServer): Promise<Opened<Views>> => {
  const first = await connect(server.current())
  const connections = [first]
  return {
    port: await openMongoViews(first, { models }),
    reopen: async () => {
      const again = await connectAgain(server.current(), first)
      connections.push(again)
      return openMongoViews(again, { models })
    },
    destroy: async () => {
      for (const other of connections.slice(1)) await other.close()
      await discard(first)
    },
  }
}

for (const { kind, faults: sets } of contractKinds) {
  describeOnMongo(kind, 'contract of views', (server) => {
    for (const faults of sets) viewsContract({ name: `views on ${server.label}`, open: () => open(server), faults })
  })
}
