import { afterAll, beforeAll } from '@jest/globals'
import { pino } from 'pino'
import { openRabbitBus } from '../../../src/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import { busContract, type BusHarness } from '../../../src/testkit/contracts/bus.contract.ts'
import { CALL_FAULTS, faultSets } from '../../../src/testkit/faults/plan.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { PATIENT, START_TIMEOUT_MS } from '../rabbitmq/bus-support.ts'

const QUEUE_MAX = 64

describeUnless(rabbitMqMissing(), 'the Bus contract on RabbitMQ', () => {
  let server: RabbitMqServer
  let worlds = 0
  beforeAll(async () => void (server = await startRabbitMq()), START_TIMEOUT_MS)
  afterAll(() => server.stop(), START_TIMEOUT_MS)

  const open = async (): Promise<BusHarness> => {
    const bus = await openRabbitBus({
      url: server.url,
      clock: createSystemClock(),
      logger: pino({ level: 'silent' }),
      prefix: `world${(worlds += 1)}`,
      queueMax: QUEUE_MAX,
      ...PATIENT,
    })
    return { port: bus, queueMax: QUEUE_MAX, destroy: () => bus.close() }
  }

  for (const faults of faultSets(...CALL_FAULTS)) busContract({ name: 'the bus on RabbitMQ', open, faults })
})
