import { createMemoryCache } from '../../src/adapters/embedded/cache.ts'
import { cacheContract, type CacheHarness } from '../../src/testkit/contracts/cache.contract.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const valueBytesMax = 1_000
const entriesMax = 8

const open = async (): Promise<CacheHarness> => {
  const clock = createManualClock(1_780_000_000_000)
  return {
    port: createMemoryCache({ clock, valueBytesMax, entriesMax }),
    valueBytesMax,
    entriesMax,
    elapse: clock.advance,
    openNeighbour: async () => createMemoryCache({ clock }),
    destroy: async () => undefined,
  }
}

cacheContract({ name: 'the cache in memory', open })
cacheContract({ name: 'the cache in memory', open, faults: ['forgets', 'slow', 'twice'] })
