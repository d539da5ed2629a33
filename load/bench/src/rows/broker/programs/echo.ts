/**
 * Peer: a bare amqplib consumer that answers every message of a quorum queue, by direct reply-to, with bytes of a fixed size
 * and acknowledges it. Settings: `EchoSettings`.
 */
import { connect, type Message } from 'amqplib'
import type { EchoSettings } from '../support/bare-client.ts'
import { serveParent, settingsOf } from '../support/worker-side.ts'

const { url, queue, prefetch } = settingsOf<EchoSettings>()
const connection = await connect(url, { noDelay: true })
// A broker that is gone ends the echo as well; the parent says why it is.
connection.on('error', () => process.exit(1))
const channel = await connection.createChannel()
await channel.assertQueue(queue, {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true },
})
await channel.prefetch(prefetch)
const replies = new Map<number, Buffer>()
const replyOf = (bytes: number): Buffer => {
  const known = replies.get(bytes) ?? Buffer.alloc(bytes, 0x5a)
  replies.set(bytes, known)
  return known
}
/** Acknowledges all of a turn with one frame, as our consumers do. */
let last: Message | null = null
const acknowledge = (): void => {
  if (last !== null) channel.ack(last, true)
  last = null
}
await channel.consume(queue, (message) => {
  if (message === null) throw new Error('the queue is gone')
  const { replyTo, correlationId } = message.properties
  // Its first bytes say how long the answer is to be.
  channel.sendToQueue(String(replyTo), replyOf(message.content.readUInt32LE(0)), {
    correlationId: String(correlationId),
  })
  if (last === null) setImmediate(acknowledge)
  last = message
})
serveParent({}, () => connection.close())
