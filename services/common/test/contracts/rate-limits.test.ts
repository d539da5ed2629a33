import { createMemoryRateLimits } from '../../src/adapters/embedded/rate-limits.ts'
import { rateLimitsContract, type RateLimitsHarness } from '../../src/testkit/contracts/rate-limits.contract.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const keysMax = 10

const open = async (): Promise<RateLimitsHarness> => {
  const clock = createManualClock(1_780_000_000_000)
  return {
    port: createMemoryRateLimits({ clock, keysMax }),
    keysMax,
    elapse: clock.advance,
    destroy: async () => undefined,
  }
}

rateLimitsContract({ name: 'rate limits in memory', open })
rateLimitsContract({ name: 'rate limits in memory', open, faults: ['slow'] })
rateLimitsContract({ name: 'rate limits in memory', open, faults: ['forgets'] })
