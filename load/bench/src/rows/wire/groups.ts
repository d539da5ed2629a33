import type { GroupEntry } from '../../row.ts'

/** From a client's socket to its answer or message, through the whole platform in a process of its own. */
export const wireGroups: readonly GroupEntry[] = [
  { name: 'wire/engine-query', load: async () => (await import('./engine.ts')).engineQuery },
  { name: 'wire/engine-trade', load: async () => (await import('./engine.ts')).engineTrade },
  { name: 'wire/engine-p99', load: async () => (await import('./engine.ts')).engineP99 },
  { name: 'wire/bank', load: async () => (await import('./bank.ts')).bank },
  { name: 'wire/ws', load: async () => (await import('./streams.ts')).ws },
  { name: 'wire/ws-conflated', load: async () => (await import('./streams.ts')).wsConflated },
  { name: 'wire/ws-slow-reader', load: async () => (await import('./streams.ts')).wsSlowReader },
]
