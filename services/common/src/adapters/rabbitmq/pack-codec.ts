import { messageTypes, type BusMessage, type BusReply } from '../../ports/bus.ts'

/*
 * The bodies of our AMQP messages, little endian, all parts at multiples of 8 so that bodies can be read in place.
 *
 * Pack (16 bytes, then parts): 0 u8 version | 1 u8 kind (1 messages, 2 replies) | 2 u16 count | 4 u32 reserved | 8 f64 sentAtMs
 * Message (40 bytes, headers, body):
 *   0 u32 size | 4 u8 type | 5 u8 flags | 6 u16 header bytes | 8 u32 sender | 12 u32 body bytes |
 *   16 u64 sequence | 24 f64 deadlineMs | 32 u32 correlation (0: nobody asks) | 36 u32 reserved
 * Headers: for each u16 name bytes | u16 value bytes | name | value, UTF-8; padded to 8 with the body behind them
 * Reply (24 bytes, body): 0 u32 size | 4 u8 status | 8 u32 correlation | 12 u32 body bytes | 16 u64 sequence
 */

/** Version of the layout; another one is not read. */
export const PACK_VERSION = 1
/** Messages or replies of one pack. */
export const PACK_COUNT_MAX = 512
/** Bytes of a pack that takes more than one message. */
export const PACK_BYTES_MAX = 32_768
/** Largest body of one message, bytes; such a message goes alone. */
export const BODY_BYTES_MAX = 4_194_304
/** Bytes of all headers of one message. */
export const HEADER_BYTES_MAX = 8_192

const KIND_MESSAGES = 1
const KIND_REPLIES = 2
const PACK_HEADER = 16
const MESSAGE_HEADER = 40
const REPLY_HEADER = 24
const FIRST_CAPACITY = 1_024

const HAS_SENDER = 1
const HAS_SEQUENCE = 2
const HAS_DEADLINE = 4
const HAS_HEADERS = 8

const statuses = ['ok', 'unavailable', 'overloaded', 'unknown'] as const satisfies readonly BusReply['status'][]

/** Bytes that are no pack of ours; the message says what is wrong with them. */
export class PackError extends Error {
  override readonly name = 'PackError'
}

/** A message of a pack. */
export interface PackedMessage {
  readonly message: BusMessage
  /** Number of the asker at the process that sent the pack; 0 when nobody waits for a reply. */
  readonly correlation: number
}

/** A pack of messages. */
export interface MessagePack {
  /** Wall clock of the sender, ms since the epoch. */
  readonly sentAtMs: number
  readonly parts: readonly PackedMessage[]
}

/** Bytes that grow: where packs are written. */
interface Scratch {
  bytes: Buffer
  view: DataView
  used: number
}

const scratch = (capacity: number): Scratch => {
  const bytes = Buffer.allocUnsafe(capacity)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, capacity), used: PACK_HEADER }
}
const reserve = (target: Scratch, size: number): void => {
  const needed = target.used + size
  if (needed <= target.bytes.length) return
  const grown = scratch(Math.max(needed, target.bytes.length * 2))
  target.bytes.copy(grown.bytes, 0, 0, target.used)
  target.bytes = grown.bytes
  target.view = grown.view
}
const padded = (length: number): number => (length + 7) & ~7

const seal = (target: Scratch, kind: number, count: number, sentAtMs: number): Buffer => {
  const { view } = target
  view.setUint8(0, PACK_VERSION)
  view.setUint8(1, kind)
  view.setUint16(2, count, true)
  view.setUint32(4, 0, true)
  view.setFloat64(8, sentAtMs, true)
  return target.bytes.subarray(0, target.used)
}

/** Where a message stands in the pack that is being written. */
export interface PackSpan {
  readonly at: number
  readonly size: number
}

/** A pack of messages in the making. The body is copied when it is added. */
export interface PackWriter {
  /** @throws RangeError when body or headers are larger than their limit */
  add(message: BusMessage, correlation: number): PackSpan
  /** Whether a message of this size may join the ones there are. */
  hasRoomFor(message: BusMessage): boolean
  count(): number
  bytes(): number
  /** Leaves these messages out. */
  remove(spans: readonly PackSpan[]): void
  /** The finished pack; nothing may be added afterwards. */
  seal(sentAtMs: number): Buffer
}

const headerEntriesOf = (message: BusMessage): readonly (readonly [string, string])[] | null =>
  message.headers === undefined ? null : Object.entries(message.headers)

const sizeOfHeaders = (entries: readonly (readonly [string, string])[]): number => {
  let size = 0
  for (const [name, value] of entries) size += 4 + Buffer.byteLength(name) + Buffer.byteLength(value)
  if (size > HEADER_BYTES_MAX) throw new RangeError(`headers of ${size} bytes; ${HEADER_BYTES_MAX} are allowed`)
  return size
}

const writeHeaders = (target: Scratch, from: number, entries: readonly (readonly [string, string])[]): void => {
  let at = from
  for (const [name, value] of entries) {
    const nameBytes = target.bytes.write(name, at + 4)
    const valueBytes = target.bytes.write(value, at + 4 + nameBytes)
    target.view.setUint16(at, nameBytes, true)
    target.view.setUint16(at + 2, valueBytes, true)
    at += 4 + nameBytes + valueBytes
  }
}

const writeMessage = (target: Scratch, message: BusMessage, correlation: number): PackSpan => {
  const { body } = message
  if (body.length > BODY_BYTES_MAX)
    throw new RangeError(`a body of ${body.length} bytes; ${BODY_BYTES_MAX} are allowed`)
  const entries = headerEntriesOf(message)
  const headerBytes = entries === null ? 0 : sizeOfHeaders(entries)
  const bodyAt = MESSAGE_HEADER + padded(headerBytes)
  const size = bodyAt + padded(body.length)
  reserve(target, size)
  const { bytes, view, used: at } = target
  const flags =
    (message.sender === undefined ? 0 : HAS_SENDER) |
    (message.sequence === undefined ? 0 : HAS_SEQUENCE) |
    (message.deadlineMs === undefined ? 0 : HAS_DEADLINE) |
    (entries === null ? 0 : HAS_HEADERS)
  view.setUint32(at, size, true)
  view.setUint8(at + 4, messageTypes.indexOf(message.type))
  view.setUint8(at + 5, flags)
  view.setUint16(at + 6, headerBytes, true)
  view.setUint32(at + 8, message.sender ?? 0, true)
  view.setUint32(at + 12, body.length, true)
  view.setBigUint64(at + 16, message.sequence ?? 0n, true)
  view.setFloat64(at + 24, message.deadlineMs ?? 0, true)
  view.setUint32(at + 32, correlation, true)
  view.setUint32(at + 36, 0, true)
  if (entries !== null) writeHeaders(target, at + MESSAGE_HEADER, entries)
  bytes.set(body, at + bodyAt)
  bytes.fill(0, at + bodyAt + body.length, at + size)
  target.used += size
  return { at, size }
}

/** Begins a pack of `countMax` messages at most. */
export const createPackWriter = (countMax: number = PACK_COUNT_MAX): PackWriter => {
  const target = scratch(FIRST_CAPACITY)
  let count = 0
  return {
    add: (message, correlation) => {
      const span = writeMessage(target, message, correlation)
      count += 1
      return span
    },
    hasRoomFor: (message) =>
      count === 0 || (count < countMax && target.used + MESSAGE_HEADER + padded(message.body.length) <= PACK_BYTES_MAX),
    count: () => count,
    bytes: () => target.used,
    remove: (spans) => {
      // From the back, so that the places of those before stay right. The caller has no further use for the places after.
      for (const { at, size } of [...spans].sort((one, other) => other.at - one.at)) {
        target.bytes.copyWithin(at, at + size, target.used)
        target.used -= size
        count -= 1
      }
    },
    seal: (sentAtMs) => seal(target, KIND_MESSAGES, count, sentAtMs),
  }
}

/** A pack of replies in the making. */
export interface ReplyWriter {
  add(correlation: number, reply: BusReply): void
  hasRoomFor(reply: BusReply): boolean
  count(): number
  seal(): Buffer
}

/** Begins a pack of `countMax` replies at most. */
export const createReplyWriter = (countMax: number = PACK_COUNT_MAX): ReplyWriter => {
  const target = scratch(FIRST_CAPACITY)
  let count = 0
  return {
    add: (correlation, { status, sequence, body }) => {
      const size = REPLY_HEADER + padded(body.length)
      reserve(target, size)
      const { bytes, view, used: at } = target
      view.setUint32(at, size, true)
      view.setUint32(at + 4, statuses.indexOf(status), true)
      view.setUint32(at + 8, correlation, true)
      view.setUint32(at + 12, body.length, true)
      view.setBigUint64(at + 16, sequence, true)
      bytes.set(body, at + REPLY_HEADER)
      bytes.fill(0, at + REPLY_HEADER + body.length, at + size)
      target.used += size
      count += 1
    },
    hasRoomFor: ({ body }) =>
      count === 0 || (count < countMax && target.used + REPLY_HEADER + body.length <= PACK_BYTES_MAX),
    count: () => count,
    seal: () => seal(target, KIND_REPLIES, count, 0),
  }
}

/** The bytes at a multiple of 8 and in memory of their own: the driver's lie anywhere in what came from the socket. */
const aligned = (content: Uint8Array): Uint8Array => {
  const copy = new Uint8Array(content.length)
  copy.set(content)
  return copy
}

const headOf = (view: DataView, kind: number): number => {
  if (view.byteLength < PACK_HEADER) throw new PackError(`${view.byteLength} bytes are no pack`)
  if (view.getUint8(0) !== PACK_VERSION) throw new PackError(`version ${view.getUint8(0)} of packs is not known`)
  if (view.getUint8(1) !== kind) throw new PackError(`kind ${view.getUint8(1)} instead of ${kind}`)
  const count = view.getUint16(2, true)
  if (count === 0) throw new PackError('a pack of nothing')
  return count
}

const sizeAt = (view: DataView, at: number, header: number): number => {
  if (at + header > view.byteLength) throw new PackError(`a part at ${at} of ${view.byteLength} bytes`)
  const size = view.getUint32(at, true)
  if (size < header || size % 8 !== 0 || at + size > view.byteLength)
    throw new PackError(`a part of ${size} bytes at ${at}`)
  return size
}

const readHeaders = (bytes: Uint8Array, view: DataView, from: number, length: number): Record<string, string> => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const headers: Record<string, string> = {}
  for (let at = from; at < from + length;) {
    const end = from + length
    if (at + 4 > end) throw new PackError('headers that are cut off')
    const nameEnd = at + 4 + view.getUint16(at, true)
    const valueEnd = nameEnd + view.getUint16(at + 2, true)
    if (valueEnd > end) throw new PackError('headers that are cut off')
    headers[text.toString('utf8', at + 4, nameEnd)] = text.toString('utf8', nameEnd, valueEnd)
    at = valueEnd
  }
  return headers
}

const readMessage = (bytes: Uint8Array, view: DataView, at: number, size: number): PackedMessage => {
  const type = messageTypes[view.getUint8(at + 4)]
  if (type === undefined) throw new PackError(`type ${view.getUint8(at + 4)} of messages is not known`)
  const flags = view.getUint8(at + 5)
  const headerBytes = view.getUint16(at + 6, true)
  const bodyBytes = view.getUint32(at + 12, true)
  const bodyAt = at + MESSAGE_HEADER + padded(headerBytes)
  if (bodyAt + bodyBytes > at + size) throw new PackError(`a body of ${bodyBytes} bytes in a part of ${size}`)
  return {
    correlation: view.getUint32(at + 32, true),
    message: {
      type,
      body: bytes.subarray(bodyAt, bodyAt + bodyBytes),
      ...(flags & HAS_SENDER ? { sender: view.getUint32(at + 8, true) } : null),
      ...(flags & HAS_SEQUENCE ? { sequence: view.getBigUint64(at + 16, true) } : null),
      ...(flags & HAS_DEADLINE ? { deadlineMs: view.getFloat64(at + 24, true) } : null),
      ...(flags & HAS_HEADERS ? { headers: readHeaders(bytes, view, at + MESSAGE_HEADER, headerBytes) } : null),
    },
  }
}

/**
 * Reads a pack of messages; the bodies lie in one copy of the content.
 * @throws {PackError} when it is none
 */
export const decodeMessages = (content: Uint8Array): MessagePack => {
  const bytes = aligned(content)
  const view = new DataView(bytes.buffer)
  const count = headOf(view, KIND_MESSAGES)
  const parts: PackedMessage[] = []
  let at = PACK_HEADER
  for (let index = 0; index < count; index++) {
    const size = sizeAt(view, at, MESSAGE_HEADER)
    parts.push(readMessage(bytes, view, at, size))
    at += size
  }
  if (at !== bytes.length) throw new PackError(`${bytes.length - at} bytes behind the last part`)
  return { sentAtMs: view.getFloat64(8, true), parts }
}

/**
 * Reads a pack of replies and hands each over.
 * @throws {PackError} when it is none; replies before the fault have been handed over
 */
export const decodeReplies = (content: Uint8Array, take: (correlation: number, reply: BusReply) => void): void => {
  const bytes = aligned(content)
  const view = new DataView(bytes.buffer)
  const count = headOf(view, KIND_REPLIES)
  let at = PACK_HEADER
  for (let index = 0; index < count; index++) {
    const size = sizeAt(view, at, REPLY_HEADER)
    const status = statuses[view.getUint32(at + 4, true)]
    const bodyBytes = view.getUint32(at + 12, true)
    if (status === undefined || REPLY_HEADER + bodyBytes > size) throw new PackError(`an unreadable reply at ${at}`)
    take(view.getUint32(at + 8, true), {
      status,
      sequence: view.getBigUint64(at + 16, true),
      body: bytes.subarray(at + REPLY_HEADER, at + REPLY_HEADER + bodyBytes),
    })
    at += size
  }
}
