import { mkdir, mkdtemp, open as openFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileSnapshots } from '../../src/adapters/embedded/snapshots.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { snapshotsContract, type SnapshotsHarness } from '../../src/testkit/contracts/snapshots.contract.ts'
import { CALL_FAULTS, faultSets } from '../../src/testkit/faults/plan.ts'

const clock = createSystemClock()

const open = async (): Promise<SnapshotsHarness> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-snapshots-'))
  const fileOf = (partition: number, sequence: bigint): string =>
    join(folder, partition.toString(16).padStart(8, '0'), `${sequence.toString().padStart(20, '0')}.snapshot`)
  return {
    port: await openFileSnapshots({ folder, clock }),
    reopen: () => openFileSnapshots({ folder, clock }),
    flipByte: async (partition, sequence) => {
      const file = await openFile(fileOf(partition, sequence), 'r+')
      await file.write(Uint8Array.of(0xee), 0, 1, 17)
      await file.close()
    },
    leaveHalfWritten: async (partition, sequence, bytes) => {
      const path = fileOf(partition, sequence)
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(`${path}.1.partial`, bytes.subarray(0, bytes.length / 2))
    },
    leftovers: async () =>
      (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.partial')).length,
    destroy: () => rm(folder, { recursive: true, force: true }),
  }
}

for (const faults of faultSets(...CALL_FAULTS)) snapshotsContract({ name: 'snapshots as files', open, faults })
