import { connect } from 'amqplib'
import type { Answered } from './producer.ts'
import { startWorker } from './workers.ts'

/** What the echo needs to know. */
export interface EchoSettings {
  readonly url: string
  readonly queue: string
  readonly prefetch: number
}

/** What travels: bytes of a message and of its answer. */
export interface EchoShape {
  readonly requestBytes: number
  readonly replyBytes: number
}

/** Asks the echo over amqplib alone: persistent, mandatory, confirmed, replies by direct reply-to. */
export interface BareClient {
  /** Sends one message; `answered` is called once both its reply and its confirm are there. */
  ask(shape: EchoShape, answered: Answered): void
  close(): Promise<void>
}

const QUEUE = 'bench.echo'
const REPLY_TO = 'amq.rabbitmq.reply-to'
const PREFETCH = 1_024

const requestOf = ({ requestBytes, replyBytes }: EchoShape): Buffer => {
  const bytes = Buffer.alloc(Math.max(4, requestBytes), 0xa5)
  bytes.writeUInt32LE(replyBytes)
  return bytes
}

/** Starts the echo in a process of its own and connects to it. */
export const startBareClient = async (url: string): Promise<BareClient> => {
  const echo = await startWorker('echo', { url, queue: QUEUE, prefetch: PREFETCH } satisfies EchoSettings)
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  const waiting = new Map<string, Answered>()
  let asked = 0
  const failAll = (error: Error): void => {
    for (const answered of waiting.values()) answered(error)
    waiting.clear()
  }
  channel.on('return', () => failAll(new Error('the echo has no queue')))
  // What waits is told; when nothing does, the broker was stopped before us because something else failed.
  connection.on('error', failAll)
  await channel.consume(
    REPLY_TO,
    (message) => {
      const id = String(message?.properties.correlationId)
      const answered = waiting.get(id)
      waiting.delete(id)
      answered?.(null)
    },
    { noAck: true },
  )
  let request = { shape: { requestBytes: 0, replyBytes: 0 } as EchoShape, bytes: Buffer.alloc(0) as Buffer }
  return {
    ask: (shape, answered) => {
      if (request.shape !== shape) request = { shape, bytes: requestOf(shape) }
      const correlationId = String(++asked)
      let missing = 2
      const arrived: Answered = (error) => {
        missing -= 1
        if (error !== null || missing === 0) answered(error)
      }
      waiting.set(correlationId, arrived)
      channel.publish(
        '',
        QUEUE,
        request.bytes,
        { persistent: true, mandatory: true, replyTo: REPLY_TO, correlationId },
        arrived,
      )
    },
    close: async () => {
      await connection.close()
      await echo.stop()
    },
  }
}
