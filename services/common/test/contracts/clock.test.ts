import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { clockContract } from '../../src/testkit/contracts/clock.contract.ts'
import { pause } from '../../src/testkit/contracts/scenario.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

clockContract({
  name: "the machine's clock",
  open: async () => ({ port: createSystemClock(), elapse: pause, destroy: async () => undefined }),
})

clockContract({
  name: 'the manual clock',
  open: async () => {
    const clock = createManualClock(1_780_000_000_000)
    return { port: clock, elapse: clock.advance, destroy: async () => undefined }
  },
})
