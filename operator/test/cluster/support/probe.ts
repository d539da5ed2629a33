import { pino } from 'pino'
import { openRabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { encodeMarketQuery } from '@bourse/risk-rules/trading/codec.ts'
import { pause } from '../../../../services/all-in-one/test/support/calls.ts'

/** Longest time without an answer of each partition, ms. */
export interface Pauses {
  readonly byPartition: readonly number[]
  readonly p50Ms: number
  readonly maxMs: number
}

/** Clients that ask each partition for its state all the time, one question after the other. */
export interface Probe {
  /** Longest silences since the last call of this, or since the start. */
  pauses(): Pauses
  close(): Promise<void>
}

/** Between an answer and the next question, ms: what a silence is measured to. */
const EVERY_MS = 20
/** A question waits so long in the queue of a partition that nobody serves right now, ms. */
const DEADLINE_MS = 10_000

/** Half of the values are at most this. */
export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1] ?? 0

/** Starts to ask; through RabbitMQ, as a gateway does, and past the gateways. */
export const startProbe = async (rabbitmqUrl: string, partitions: readonly PartitionNumber[]): Promise<Probe> => {
  const bus = await openRabbitBus({
    url: rabbitmqUrl,
    prefix: 'bourse',
    clock: createSystemClock(),
    logger: pino({ level: 'silent' }),
  })
  const client = createPartitionClient({ bus })
  const longest = partitions.map(() => 0)
  const heardAt = partitions.map(() => performance.now())
  let isClosed = false
  const hear = (index: number): void => {
    const now = performance.now()
    longest[index] = Math.max(longest[index] ?? 0, now - (heardAt[index] ?? now))
    heardAt[index] = now
  }
  const ask = async (partition: PartitionNumber, index: number): Promise<void> => {
    while (!isClosed) {
      const answer = await client.read(partition, encodeMarketQuery(), { deadlineMs: DEADLINE_MS })
      if (answer.ok) hear(index)
      await pause(EVERY_MS)
    }
  }
  const asking = partitions.map(ask)
  return {
    pauses: () => {
      partitions.forEach((_, index) => {
        // A silence that goes on counts as far as it has come.
        longest[index] = Math.max(longest[index] ?? 0, performance.now() - (heardAt[index] ?? 0))
      })
      const byPartition = longest.map((ms) => Math.round(ms))
      longest.fill(0)
      heardAt.fill(performance.now())
      return { byPartition, p50Ms: medianOf(byPartition), maxMs: Math.max(...byPartition) }
    },
    close: async () => {
      isClosed = true
      await Promise.all(asking)
      await bus.close()
    },
  }
}
