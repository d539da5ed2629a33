import type { GroupEntry } from '../../row.ts'

/** From a process's start to a partition that serves. */
export const recoveryGroups: readonly GroupEntry[] = [
  { name: 'recovery/partition', load: async () => (await import('./partition.ts')).recoveryPartition },
  { name: 'recovery/platform', load: async () => (await import('./platform.ts')).recoveryPlatform },
]
