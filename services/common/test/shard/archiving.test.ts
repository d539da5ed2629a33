import { expect, test } from '@jest/globals'
import pino from 'pino'
import { partitionNumber } from '../../src/kernel/partition.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Snapshots } from '../../src/ports/snapshots.ts'
import {
  ARCHIVE_INTERVAL_MS,
  RECORDS_KEPT_MIN,
  startArchiving,
  type ServedPartition,
} from '../../src/shard/archiving.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const SEQUENCE = BigInt(RECORDS_KEPT_MIN) * 3n
const served = (index: number): ServedPartition => ({
  partition: partitionNumber('ledger', index),
  status: { sequence: SEQUENCE, unconfirmedEffects: 0 },
  viewSequence: SEQUENCE,
})

test('a partition whose records can not be archived holds up no other', async () => {
  const [broken, sound] = [served(0), served(1)]
  const clock = createManualClock(0)
  const archived: number[] = []
  const snapshots: Pick<Snapshots, 'list'> = {
    list: (partition) =>
      partition === broken.partition
        ? Promise.reject(new PortError('corrupt', 'its snapshots can not be listed'))
        : Promise.resolve([{ sequence: SEQUENCE, bytes: 1, sha256: '', atMs: 0 }]),
  }
  const journal: Pick<Journal, 'archives' | 'archivedThrough' | 'removeThrough' | 'readFrom'> = {
    archives: (partition) => (archived.push(partition), Promise.resolve([])),
    archivedThrough: () => Promise.resolve(0n),
    removeThrough: () => Promise.resolve(),
    readFrom: async function* () {
      // Nothing is left to be read.
    },
  }
  const archiving = startArchiving({
    served: () => [broken, sound],
    journal: journal as Journal,
    snapshots: snapshots as Snapshots,
    clock,
    logger: pino({ level: 'silent' }),
  })
  await clock.advance(ARCHIVE_INTERVAL_MS)
  expect(archived).toEqual([sound.partition])
  await archiving.stop()
})
