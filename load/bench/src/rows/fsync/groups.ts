import type { GroupEntry } from '../../row.ts'

/** Through the SQLite journal, flushed to the disk. */
export const fsyncGroups: readonly GroupEntry[] = [
  { name: 'fsync/trading-1', load: async () => (await import('./trading.ts')).tradingOne },
  { name: 'fsync/trading-10', load: async () => (await import('./trading.ts')).tradingTen },
  { name: 'fsync/trading-100', load: async () => (await import('./trading.ts')).tradingHundred },
  { name: 'fsync/ledger-1', load: async () => (await import('./ledger.ts')).ledgerOne },
  { name: 'fsync/ledger-50', load: async () => (await import('./ledger.ts')).ledgerFifty },
  { name: 'fsync/ledger-8190', load: async () => (await import('./ledger.ts')).ledgerMany },
]
