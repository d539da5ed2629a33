import { expect, test } from '@jest/globals'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { clockContract } from '../../src/testkit/contracts/clock.contract.ts'
import { pause } from '../../src/testkit/contracts/scenario.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'
import { createPatientClock } from '../../src/testkit/patient-clock.ts'

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

clockContract({
  name: 'the patient clock',
  open: async () => {
    const clock = createPatientClock(1_780_000_000_000)
    return { port: clock, elapse: clock.sleep, destroy: clock.stop }
  },
})

test('the patient clock does not count the time in which the process stood still', async () => {
  const clock = createPatientClock(1_780_000_000_000)
  await clock.sleep(5)
  const startMs = clock.monotonicMs()
  for (const endMs = performance.now() + 300; performance.now() < endMs;);
  await clock.sleep(1)
  expect(clock.monotonicMs() - startMs).toBeLessThan(100)
  await clock.stop()
})
