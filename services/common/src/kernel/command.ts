import type { PartitionNumber } from './partition.ts'

/**
 * The fixed header of every command, little endian:
 *
 *   0        4      6        7       8          24             40        44         48          56
 *   ├ size ──┼ kind ┼ origin ┼ flags ┼ id ──────┼ requestHash ─┼ sender ─┼ (zero) ──┼ sequence ─┼ body …
 *     u32      u16    u8       u8      16 bytes   16 bytes       u32                  u64
 *
 * `size` counts header and body and is a multiple of 8.
 */
export const COMMAND_HEADER_BYTES = 56
/** Largest command a partition takes. */
export const COMMAND_BYTES_MAX = 65_536

/** Who put a command in order. */
export const commandOrigins = { client: 0, partition: 1, runner: 2, outside: 3 } as const
/** Number of an origin in the header. */
export type CommandOrigin = (typeof commandOrigins)[keyof typeof commandOrigins]

/** Flag: the receiver answers the sender with an effect that carries the outcome. */
export const FLAG_WANTS_OUTCOME = 1

/** Command kind that every machine understands: the runner's clock reached a deadline of the state. */
export const KIND_TIME = 0xffff

/** What a header says. `id` and `requestHash` are 16 bytes, all zero when there is none. */
export interface CommandHeader {
  readonly kind: number
  readonly origin: CommandOrigin
  readonly flags: number
  readonly id: Uint8Array
  readonly requestHash: Uint8Array
  readonly sender: PartitionNumber
  readonly sequence: bigint
}

/** Sixteen zero bytes: no id. */
export const NO_ID: Uint8Array = new Uint8Array(16)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Writes a command: header, body, zero padding to a multiple of 8. */
export const encodeCommand = (
  header: Partial<CommandHeader> & { readonly kind: number },
  body: Uint8Array,
): Uint8Array => {
  const size = (COMMAND_HEADER_BYTES + body.length + 7) & ~7
  if (size > COMMAND_BYTES_MAX) throw new RangeError(`a command of ${size} bytes; at most ${COMMAND_BYTES_MAX}`)
  const bytes = new Uint8Array(size)
  const view = viewOf(bytes)
  view.setUint32(0, size, true)
  view.setUint16(4, header.kind, true)
  view.setUint8(6, header.origin ?? commandOrigins.client)
  view.setUint8(7, header.flags ?? 0)
  bytes.set(header.id ?? NO_ID, 8)
  bytes.set(header.requestHash ?? NO_ID, 24)
  view.setUint32(40, header.sender ?? 0, true)
  view.setBigUint64(48, header.sequence ?? 0n, true)
  bytes.set(body, COMMAND_HEADER_BYTES)
  return bytes
}

/**
 * Whether the bytes are a whole command by their header alone. Asked of every command several times: byte by byte it costs
 * a few nanoseconds, a DataView a hundred.
 */
export const isCommand = (bytes: Uint8Array): boolean =>
  bytes.length >= COMMAND_HEADER_BYTES &&
  bytes.length <= COMMAND_BYTES_MAX &&
  bytes.length % 8 === 0 &&
  (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16)) === bytes.length &&
  bytes[3] === 0 &&
  bytes[6]! <= commandOrigins.outside

/** The kind alone, without the cost of decoding the header. */
export const kindOf = (bytes: Uint8Array): number => bytes[4]! | (bytes[5]! << 8)

/** The origin alone, without the cost of decoding the header. */
export const originOf = (bytes: Uint8Array): CommandOrigin => bytes[6] as CommandOrigin

/** Reads the header. The id and hash are views into the command's bytes. */
export const decodeHeader = (bytes: Uint8Array): CommandHeader => {
  const view = viewOf(bytes)
  return {
    kind: view.getUint16(4, true),
    origin: view.getUint8(6) as CommandOrigin,
    flags: view.getUint8(7),
    id: bytes.subarray(8, 24),
    requestHash: bytes.subarray(24, 40),
    sender: view.getUint32(40, true),
    sequence: view.getBigUint64(48, true),
  }
}

/** The body, a view into the command's bytes (padding included). */
export const bodyOf = (command: Uint8Array): Uint8Array => command.subarray(COMMAND_HEADER_BYTES)

const U32_MASK = 0xffff_ffffn

/** Writes a u32, byte by byte: for three fields of a message a DataView would cost more than the copy. */
const putU32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

const copyOf = (bytes: Uint8Array): Uint8Array => bytes.slice()

/** A copy of the command (made by `copy`) that says it is effect `sequence` of `sender`. */
export const withSender = (
  command: Uint8Array,
  sender: PartitionNumber,
  sequence: bigint,
  copy: (bytes: Uint8Array) => Uint8Array = copyOf,
): Uint8Array => {
  const bytes = copy(command)
  bytes[6] = commandOrigins.partition
  putU32(bytes, 40, sender)
  putU32(bytes, 48, Number(sequence & U32_MASK))
  putU32(bytes, 52, Number(sequence >> 32n))
  return bytes
}

/** A command's id as answers, spans and log lines show it. */
export const shownCommandId = (id: Uint8Array): string => {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
