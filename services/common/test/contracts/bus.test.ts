import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { busContract, type BusHarness } from '../../src/testkit/contracts/bus.contract.ts'
import type { FaultKind } from '../../src/testkit/faults/plan.ts'

const QUEUE_MAX = 64

const open = async (): Promise<BusHarness> => {
  const bus = createEmbeddedBus({ clock: createSystemClock(), queueMax: QUEUE_MAX })
  return { port: bus, queueMax: QUEUE_MAX, destroy: () => bus.close() }
}

const faultSets: readonly FaultKind[][] = [[], ['fails'], ['done-but-timed-out'], ['slow'], ['twice']]
for (const faults of faultSets) busContract({ name: 'the bus in one process', open, faults })
