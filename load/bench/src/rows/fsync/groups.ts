import type { GroupEntry } from '../../row.ts'

/** Through the SQLite journal, flushed to the disk. */
export const fsyncGroups: readonly GroupEntry[] = [
  { name: 'fsync/ledger-1', load: async () => (await import('./ledger.ts')).ledgerOne },
  { name: 'fsync/ledger-50', load: async () => (await import('./ledger.ts')).ledgerFifty },
  { name: 'fsync/ledger-8190', load: async () => (await import('./ledger.ts')).ledgerMany },
]
