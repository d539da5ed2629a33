/** First byte of a whole text message: last fragment, opcode 1. */
const WHOLE_TEXT = 0x81
/** Lengths up to this stand in the second byte; 126 there says that two more bytes hold it, 127 that eight do. */
const SHORT_MAX = 125
const MEDIUM_MAX = 65_535

/** A text as a server's WebSocket frame (RFC 6455, unmasked): made once, it goes to any number of sockets as it is. */
export const textFrame = (text: string): Buffer => {
  const bytes = Buffer.byteLength(text)
  const headBytes = bytes <= SHORT_MAX ? 2 : bytes <= MEDIUM_MAX ? 4 : 10
  const frame = Buffer.allocUnsafe(headBytes + bytes)
  frame[0] = WHOLE_TEXT
  if (bytes <= SHORT_MAX) frame[1] = bytes
  else if (bytes <= MEDIUM_MAX) {
    frame[1] = 126
    frame.writeUInt16BE(bytes, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(bytes), 2)
  }
  frame.write(text, headBytes)
  return frame
}
