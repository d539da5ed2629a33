import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { makeBackup, restoreBackup } from '@bourse/all-in-one/backup/backup.ts'
import { openData } from '@bourse/all-in-one/verification/open-data.ts'
import { encodeSnapshot, imageOf } from '@bourse/common/kernel/snapshot-codec.ts'
import { partitionName, partitionParts } from '@bourse/common/kernel/partition.ts'
import { verifyPartition } from '@bourse/common/kernel/verification.ts'

/** Where an account of a ledger's snapshot has what, from its currency on; see the ledger's table of accounts. */
const ACCOUNT = { kind: 8, zero: 12, balance: 16 } as const
const KIND_CUSTOMER = 1
const USDC = Buffer.from('USDC\0\0\0\0', 'latin1')

/** Adds one unit to the first customer's USDC in a ledger's snapshot. @throws when there is no such account */
const addOneUnit = (snapshot: Uint8Array): Uint8Array => {
  const bytes = Buffer.from(snapshot)
  for (let at = bytes.indexOf(USDC); at >= 0; at = bytes.indexOf(USDC, at + 1)) {
    if (at + ACCOUNT.balance + 8 > bytes.length) break
    if (bytes.readUInt32LE(at + ACCOUNT.kind) !== KIND_CUSTOMER || bytes.readUInt32LE(at + ACCOUNT.zero) !== 0) continue
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(at + ACCOUNT.balance) + 1n, at + ACCOUNT.balance)
    return bytes
  }
  throw new Error('the ledger has no customer with USDC')
}

/** Copies the data of a running platform into a new folder, as `backup` and `restore` do. */
export const copyData = async (dataDir: string, backupDir: string, copyDir: string): Promise<void> => {
  const clock = createSystemClock()
  await makeBackup(dataDir, backupDir, clock)
  await restoreBackup(backupDir, copyDir, clock)
}

/**
 * Makes money out of nothing in a stopped platform's data: one unit (1e-8) of USDC in a ledger's newest snapshot, which a start
 * believes. The partition that it is in.
 */
export const plantImbalance = async (dataDir: string): Promise<string> => {
  const data = await openData(dataDir, createSystemClock())
  try {
    for (const partition of data.partitions) {
      if (partitionParts(partition).machine !== 'ledger') continue
      const factory = data.factoryOf(partition)
      const { state } = await verifyPartition({ ...data, factory }, partition)
      if (state === null || state.sequence === 0n) continue
      const machine = factory()
      machine.restore(addOneUnit(state.machine.snapshot()))
      const image = imageOf({ ...state, machine })
      await data.snapshots.write(partition, state.sequence, await encodeSnapshot(image, 'none'))
      return partitionName(partition)
    }
    throw new Error('no ledger partition has a record')
  } finally {
    await data.close()
  }
}
