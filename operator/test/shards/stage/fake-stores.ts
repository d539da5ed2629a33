import { encodeSnapshot } from '@bourse/common/kernel/snapshot-codec.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory, ManifestRecord } from '@bourse/common/ports/directory.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '@bourse/common/ports/snapshots.ts'
import { createHash } from 'node:crypto'

/** As much of a directory as the controllers use, in memory. */
export const createFakeDirectory = (): Directory => {
  const settings = new Map<string, string>()
  const manifests = new Map<string, ManifestRecord & { readonly isGone?: boolean }>()
  const used = {
    setting: (name: string) => Promise.resolve(settings.get(name) ?? null),
    setSettingOnce: (name: string, value: string) => {
      if (!settings.has(name)) settings.set(name, value)
      return Promise.resolve(settings.get(name)!)
    },
    putManifest: (record: ManifestRecord) => {
      const before = manifests.get(record.name)
      if (before !== undefined && before.fence > record.fence) return Promise.resolve('fenced' as const)
      manifests.set(record.name, record)
      return Promise.resolve('stored' as const)
    },
    removeManifest: (kind: ManifestRecord['kind'], name: string, fence: number) => {
      const before = manifests.get(name)
      if (before !== undefined && before.fence > fence) return Promise.resolve('fenced' as const)
      manifests.set(name, { kind, name, generation: 0, document: '', fence, isGone: true })
      return Promise.resolve('removed' as const)
    },
    manifests: () => Promise.resolve([...manifests.values()].filter(({ isGone }) => isGone !== true)),
  }
  return used as unknown as Directory
}

/** Stored snapshots in memory, whole files that verify; `corrupt` damages one where it lies. */
export interface FakeSnapshots extends Snapshots {
  take(partition: number, sequence: bigint): Promise<void>
  corrupt(partition: number, sequence: bigint): void
}

/** Makes an empty store. */
export const createFakeSnapshots = (clock: Clock): FakeSnapshots => {
  const files = new Map<number, Map<bigint, { readonly info: SnapshotInfo; bytes: Uint8Array }>>()
  const of = (partition: number) => {
    const known = files.get(partition) ?? new Map<bigint, { readonly info: SnapshotInfo; bytes: Uint8Array }>()
    files.set(partition, known)
    return known
  }
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  const write: Snapshots['write'] = (partition, sequence, bytes) => {
    const info = { sequence, bytes: bytes.length, sha256: digest(bytes), atMs: clock.nowMs() }
    of(partition).set(sequence, { info, bytes })
    return Promise.resolve(info)
  }
  return {
    write,
    list: (partition) =>
      Promise.resolve(
        [...of(partition).values()].map(({ info }) => info).sort((a, b) => (a.sequence > b.sequence ? -1 : 1)),
      ),
    read: (partition, sequence) => {
      const file = of(partition).get(sequence)
      if (file === undefined) return Promise.resolve(null)
      if (digest(file.bytes) !== file.info.sha256)
        return Promise.reject(new PortError('corrupt', 'its SHA-256 differs'))
      return Promise.resolve(file.bytes)
    },
    remove: (partition, sequence) => Promise.resolve(void of(partition).delete(sequence)),
    close: () => Promise.resolve(),
    take: async (partition, sequence) => {
      const image = {
        partition,
        sequence,
        now: 0n,
        behaviour: 1,
        hash: new Uint8Array(32),
        schemaVersion: 1,
        stateHash: '0'.repeat(32),
        kernel: new Uint8Array(12),
        machine: new Uint8Array(8),
      }
      await write(partition, sequence, await encodeSnapshot(image, 'none'))
    },
    corrupt: (partition, sequence) => {
      const file = of(partition).get(sequence)
      if (file === undefined) throw new Error(`there is no snapshot at ${sequence}`)
      file.bytes = file.bytes.map((byte, index) => (index === file.bytes.length - 1 ? byte ^ 1 : byte))
    },
  }
}
