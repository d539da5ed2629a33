import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Place } from './traders.ts'

/** What one reader has got. */
export interface PriceReader {
  readonly socket: Socket
  /** Messages of the channel. */
  messages: number
  /** Sequences of the first and the newest message, 0 before. */
  firstSequence: number
  lastSequence: number
}

const HEAD_END = '\r\n\r\n'
const SEQUENCE = Buffer.from('"sequence":')
const DIGIT_ZERO = 0x30
const MEDIUM = 126
/** Of a price message, where its sequence begins: the channel's name stands before it. */
const CHANNEL = Buffer.from('{"channel":"prices:')

const upgradeText = (port: number): string =>
  `GET /ws HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
  'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** A client's text frame, masked with zeros; at most 125 bytes. */
const clientFrame = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

/** Where the payload of the frame at `start` begins and ends; null while its head is not whole. */
const frameAt = (bytes: Buffer, start: number): { readonly from: number; readonly to: number } | null => {
  if (bytes.length < start + 2) return null
  const length = bytes[start + 1]!
  if (length < MEDIUM) return { from: start + 2, to: start + 2 + length }
  if (length !== MEDIUM) throw new Error(`a frame of length ${length} from the server`)
  if (bytes.length < start + 4) return null
  const from = start + 4
  return { from, to: from + bytes.readUInt16BE(start + 2) }
}

const wholeAt = (bytes: Buffer, start: number): number => {
  let value = 0
  for (let at = start; bytes[at]! >= DIGIT_ZERO && bytes[at]! < DIGIT_ZERO + 10; at++)
    value = value * 10 + bytes[at]! - DIGIT_ZERO
  return value
}

/** Reads the sequence of a price message; its place is the same in all of a channel's messages. */
const createSequenceReader = () => {
  let offset = -1
  return (bytes: Buffer, from: number, to: number): number | null => {
    if (bytes.compare(CHANNEL, 0, CHANNEL.length, from, Math.min(to, from + CHANNEL.length)) !== 0) return null
    if (offset === -1) offset = bytes.indexOf(SEQUENCE, from) + SEQUENCE.length - from
    return wholeAt(bytes, from + offset)
  }
}

/**
 * Opens a reader of a price channel: a bare socket that reads every frame and the sequence in it, and checks that sequences
 * rise. `onMessage` hears of each.
 */
const openPriceReader = async (
  { host, port }: Place,
  channels: readonly string[],
  onMessage: (sequence: number) => void = () => undefined,
): Promise<PriceReader> => {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  socket.write(upgradeText(port))
  let pending = (await once(socket, 'data'))[0] as Buffer
  const headEnd = pending.indexOf(HEAD_END)
  if (!pending.toString('latin1', 0, headEnd).startsWith('HTTP/1.1 101')) throw new Error(pending.toString('latin1'))
  pending = pending.subarray(headEnd + HEAD_END.length)
  const reader: PriceReader = { socket, messages: 0, firstSequence: 0, lastSequence: 0 }
  const sequenceOf = createSequenceReader()
  const take = (chunk: Buffer): void => {
    const bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let at = 0
    for (let frame = frameAt(bytes, at); frame !== null && frame.to <= bytes.length; frame = frameAt(bytes, at)) {
      const sequence = sequenceOf(bytes, frame.from, frame.to)
      at = frame.to
      if (sequence === null) continue
      if (channels.length === 1 && sequence <= reader.lastSequence) throw new Error(`${sequence} came late`)
      if (reader.firstSequence === 0) reader.firstSequence = sequence
      reader.lastSequence = sequence
      reader.messages += 1
      onMessage(sequence)
    }
    pending = bytes.subarray(at)
  }
  socket.on('data', take)
  socket.write(clientFrame(JSON.stringify({ op: 'subscribe', channels })))
  return reader
}

/** Opens many, some at a time. */
export const openPriceReaders = async (
  place: Place,
  count: number,
  channels: readonly string[],
  onMessage?: (sequence: number) => void,
): Promise<PriceReader[]> => {
  const readers: PriceReader[] = []
  while (readers.length < count) {
    const some = Math.min(50, count - readers.length)
    readers.push(
      ...(await Promise.all(Array.from({ length: some }, () => openPriceReader(place, channels, onMessage)))),
    )
  }
  return readers
}
