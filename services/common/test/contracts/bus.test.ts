import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { busContract, type BusHarness } from '../../src/testkit/contracts/bus.contract.ts'
import { CALL_FAULTS, faultSets } from '../../src/testkit/faults/plan.ts'

const QUEUE_MAX = 64

const open = async (): Promise<BusHarness> => {
  const bus = createEmbeddedBus({ clock: createSystemClock(), queueMax: QUEUE_MAX })
  return { port: bus, queueMax: QUEUE_MAX, destroy: () => bus.close() }
}

for (const faults of faultSets(...CALL_FAULTS)) busContract({ name: 'the bus in one process', open, faults })
