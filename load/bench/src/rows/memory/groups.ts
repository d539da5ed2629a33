import type { GroupEntry } from '../../row.ts'

/** What the machines' state takes. */
export const memoryGroups: readonly GroupEntry[] = [
  { name: 'memory/state', load: async () => (await import('./state.ts')).memoryState },
  { name: 'memory/id', load: async () => (await import('./ids.ts')).memoryIds },
]
