import mongoose from 'mongoose'
import { LEFTOVER_AGE_MS, openMongoSnapshots } from '../../../src/adapters/mongodb/snapshots.ts'
import { snapshotsContract, type SnapshotsHarness } from '../../../src/testkit/contracts/snapshots.contract.ts'
import { clock, connect, connectAgain, discard } from '../mongodb/support.ts'
import { contractKinds, describeOnMongo, type SharedServer } from '../mongodb/subjects.ts'

const open = async (server: SharedServer): Promise<SnapshotsHarness> => {
  const first = await connect(server.current())
  const connections = [first]
  const { database } = first
  const chunks = database.collection('snapshot_files.chunks')
  return {
    port: await openMongoSnapshots(first, { clock }),
    reopen: async () => {
      const again = await connectAgain(server.current(), first)
      connections.push(again)
      return openMongoSnapshots(again, { clock })
    },
    flipByte: async (partition, sequence) => {
      const pointer = await database.collection('snapshots').findOne({ partition, sequence })
      const chunk = await chunks.findOne({ files_id: pointer!['file'], n: 0 })
      const bytes = Buffer.from(chunk!['data'] as Buffer)
      bytes[17] = bytes[17]! ^ 0xee
      await chunks.updateOne({ _id: chunk!._id }, { $set: { data: new mongoose.mongo.Binary(bytes) } })
    },
    leaveHalfWritten: async (_partition, _sequence, bytes) => {
      const id = new mongoose.mongo.ObjectId()
      const atMs = clock.nowMs() - 2 * LEFTOVER_AGE_MS
      await database.collection('snapshot_uploads').insertOne({ _id: id, atMs })
      const half = new mongoose.mongo.Binary(bytes.subarray(0, bytes.length / 2))
      await chunks.insertOne({ files_id: id, n: 0, data: half })
    },
    leftovers: async () => {
      const pointers = await database.collection('snapshots').find().toArray()
      const kept = new Set(pointers.map(({ file }) => String(file)))
      const found = await chunks.find({}, { projection: { files_id: 1 } }).toArray()
      return new Set(found.map(({ files_id }) => String(files_id)).filter((id) => !kept.has(id))).size
    },
    destroy: async () => {
      for (const other of connections.slice(1)) await other.close()
      await discard(first)
    },
  }
}

for (const { kind, faults: sets } of contractKinds) {
  describeOnMongo(kind, 'contract of snapshots', (server) => {
    for (const faults of sets) {
      snapshotsContract({ name: `snapshots on ${server.label}`, open: () => open(server), faults })
    }
  })
}
