import { partitionName, type PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { RabbitConnection } from './connection.ts'

/** Bytes a stream keeps, about: whole segments are removed. What is older is read from the journal. */
export const STREAM_BYTES_MAX = 1_073_741_824
/** How long a stream keeps an event, about. */
export const STREAM_AGE_MAX = '1h'
/** Bytes of one segment: the step in which a stream forgets. */
export const STREAM_SEGMENT_BYTES = 67_108_864

/** The queue that is a partition's stream: `bourse.events.trading/BTC_USDC/0`. */
export const eventStreamName = (prefix: string, partition: PartitionNumber): string =>
  `${prefix}.events.${partitionName(partition)}`

/** AMQP's answer to a declaration that differs from what is there. */
const PRECONDITION_FAILED = 406

const isDifferent = (error: unknown): boolean =>
  error instanceof PortError &&
  error.cause instanceof Error &&
  (error.cause as Error & { code?: unknown }).code === PRECONDITION_FAILED

/**
 * Declares a stream. One that is there with other bounds, set by another release or by hand, is taken as it is: what a
 * stream keeps is nobody's truth.
 * @throws PortError
 */
export const declareEventStream = async (connection: RabbitConnection, name: string): Promise<void> => {
  try {
    await connection.withChannel((channel) =>
      channel.assertQueue(name, {
        durable: true,
        arguments: {
          'x-queue-type': 'stream',
          'x-max-length-bytes': STREAM_BYTES_MAX,
          'x-max-age': STREAM_AGE_MAX,
          'x-stream-max-segment-size-bytes': STREAM_SEGMENT_BYTES,
        },
      }),
    )
  } catch (error) {
    if (!isDifferent(error)) throw error
  }
}
