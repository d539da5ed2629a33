import type { GroupEntry } from '../../row.ts'

/** Through RabbitMQ. */
export const brokerGroups: readonly GroupEntry[] = [
  { name: 'broker/trading-packed', load: async () => (await import('./throughput.ts')).tradingPacked },
  { name: 'broker/trading-single', load: async () => (await import('./throughput.ts')).tradingSingle },
  { name: 'broker/trading-mongodb', load: async () => (await import('./mongodb.ts')).tradingMongodb },
  { name: 'broker/request-reply', load: async () => (await import('./latency.ts')).requestReply },
  { name: 'broker/move-pause', load: async () => (await import('./move.ts')).movePause },
  { name: 'broker/move-pause-mongodb', load: async () => (await import('./move.ts')).movePauseMongodb },
]
