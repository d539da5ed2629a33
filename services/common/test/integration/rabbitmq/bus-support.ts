import { pino } from 'pino'
import { openRabbitBus, type RabbitBus, type RabbitBusOptions } from '../../../src/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import { partitionNumber } from '../../../src/kernel/partition.ts'
import type { BusMessage, Delivery } from '../../../src/ports/bus.ts'
import { PortError, type FailureKind } from '../../../src/ports/failure.ts'
import { until } from '../../../src/testkit/contracts/scenario.ts'

/** How long a server may take to start, ms. */
export const START_TIMEOUT_MS = 400_000
/** Where the tests send. */
export const HERE = partitionNumber('trading', 0)
export const clock = createSystemClock()
export const logger = pino({ level: 'silent' })

let worlds = 0
/** A name that no other test's queues have. */
export const freshPrefix = (): string => `test${process.pid}x${(worlds += 1)}`

/** A connection is not given up because the machine stands still for seconds, nor is its opening. */
export const PATIENT = { heartbeatSeconds: 600, firstConnectMs: 120_000 } as const
/** A dead connection is noticed soon. */
export const WATCHFUL = { heartbeatSeconds: 1 } as const

/** A bus for a test. */
export const openBus = (url: string, options: Partial<RabbitBusOptions> = {}): Promise<RabbitBus> =>
  openRabbitBus({ url, clock, logger, ...PATIENT, ...options })

/** A command; unless it is told otherwise it waits for longer than a busy machine takes. */
export const command = (text: string, deadlineMs = 100_000): BusMessage => ({
  type: 'command',
  body: new TextEncoder().encode(text),
  deadlineMs,
})
export const textOf = (delivery: Delivery): string => new TextDecoder().decode(delivery.message.body)

export const kindOf = (error: unknown): FailureKind | 'no PortError' =>
  error instanceof PortError ? error.kind : 'no PortError'

/** Waits for something; fails with its name. */
export const eventually = (name: string, condition: () => boolean | Promise<boolean>): Promise<void> =>
  until(condition, name)

/** What a producer under fire has to show. */
export interface Tally {
  sent: number
  /** What `send` answered for. */
  readonly acknowledged: Set<string>
  readonly failed: Map<string, number>
  readonly seen: Set<string>
  /** Deliveries beyond the first of a message. */
  repeated: number
}

/** Sends numbered messages all the time until it is stopped, a few at a turn, and consumes them elsewhere. */
export const startLoad = async (producer: RabbitBus, consumer: RabbitBus, perTurn = 5) => {
  const tally: Tally = { sent: 0, acknowledged: new Set(), failed: new Map(), seen: new Set(), repeated: 0 }
  const consuming = await consumer.consume(
    HERE,
    (delivery) => {
      const text = textOf(delivery)
      if (tally.seen.has(text)) tally.repeated += 1
      tally.seen.add(text)
      delivery.acknowledge()
    },
    { inFlightMax: 1_000 },
  )
  let isRunning = true
  const open = new Set<Promise<void>>()
  const one = async (text: string): Promise<void> => {
    try {
      // Without a deadline of its own: what was acknowledged is not dropped, however long the broker is away.
      const { type, body } = command(text)
      await producer.send(HERE, { type, body })
      tally.acknowledged.add(text)
    } catch (error) {
      const kind = kindOf(error)
      tally.failed.set(kind, (tally.failed.get(kind) ?? 0) + 1)
    }
  }
  const run = async (): Promise<void> => {
    while (isRunning) {
      for (let count = 0; count < perTurn; count++) {
        const sending = one(`message ${(tally.sent += 1)}`).finally(() => open.delete(sending))
        open.add(sending)
      }
      await clock.sleep(2)
    }
    await Promise.all(open)
  }
  const running = run()
  return {
    tally,
    /** Ends the sending and waits until all that was acknowledged has arrived; the line to show. */
    finish: async (): Promise<string> => {
      isRunning = false
      await running
      const lost = (): string[] => [...tally.acknowledged].filter((text) => !tally.seen.has(text))
      await eventually('all acknowledged messages have arrived', () => lost().length === 0).catch(() => undefined)
      await consuming.stop()
      const { sent, acknowledged, failed, repeated } = tally
      const failures = [...failed].map(([kind, count]) => `${kind} ${count}`).join(', ')
      return `sent ${sent} acknowledged ${acknowledged.size} failed (${failures}) repeated ${repeated} lost ${lost().length}`
    },
  }
}
