import type { GroupEntry } from '../../row.ts'

/** What traces cost the platform that is traced. */
export const traceGroups: readonly GroupEntry[] = [
  { name: 'trace', load: async () => (await import('./throughput.ts')).throughput },
]
