import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An answer: its status and its body's bytes (valid during the call that hands them over). */
export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
  /** The head, for what is seldom looked at. */
  head(): string
}

/** A kept connection with at most one request under way. */
export interface HttpConnection {
  /** Sends a whole request; `answered` is called once with its answer. A second one before that is a bug. */
  send(request: Buffer | string, answered: (answer: HttpAnswer) => void): void
  close(): void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LENGTHS = [Buffer.from('\r\nContent-Length: '), Buffer.from('\r\ncontent-length: ')] as const
/** Where the status stands in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9
const ZERO = 0x30
const CARRIAGE_RETURN = 0x0d

const wholeAt = (bytes: Buffer, start: number): number => {
  let value = 0
  for (let at = start; bytes[at] !== CARRIAGE_RETURN && at < bytes.length; at++) value = value * 10 + bytes[at]! - ZERO
  return value
}

const bodyLengthOf = (bytes: Buffer, headEnd: number): number => {
  for (const name of LENGTHS) {
    const at = bytes.indexOf(name)
    if (at !== -1 && at < headEnd) return wholeAt(bytes, at + name.length)
  }
  throw new Error(`an answer without a content-length:\n${bytes.toString('latin1', 0, headEnd)}`)
}

/** Parses the answer at the front of `bytes`; null while it is not whole. */
const answerIn = (bytes: Buffer): HttpAnswer | null => {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return null
  const bodyStart = headEnd + HEAD_END.length
  const bodyEnd = bodyStart + bodyLengthOf(bytes, headEnd)
  if (bytes.length < bodyEnd) return null
  return {
    status: wholeAt(bytes.subarray(0, STATUS_AT + 3), STATUS_AT),
    body: bytes.subarray(bodyStart, bodyEnd),
    head: () => bytes.toString('latin1', 0, headEnd),
  }
}

const overSocket = (socket: Socket, onBroken: (error: Error) => void): HttpConnection => {
  let waiting: ((answer: HttpAnswer) => void) | null = null
  let pending: Buffer | null = null
  let isClosing = false
  socket.on('data', (chunk: Buffer) => {
    const bytes: Buffer = pending === null ? chunk : Buffer.concat([pending, chunk])
    const answer = answerIn(bytes)
    if (answer === null) {
      pending = bytes
      return
    }
    pending = null
    const answered = waiting
    waiting = null
    if (answered === null) onBroken(new Error('an answer to no request'))
    else answered(answer)
  })
  socket.on('error', onBroken)
  socket.on('close', () => {
    if (!isClosing) onBroken(new Error('the server closed a connection that was to be kept'))
  })
  return {
    send: (request, answered) => {
      if (waiting !== null) throw new Error('the connection has a request under way')
      waiting = answered
      socket.write(request)
    },
    close: () => {
      isClosing = true
      socket.destroy()
    },
  }
}

/**
 * Opens a kept connection. The client is lean on purpose: on two cores it must not take the server's time. It takes what
 * Node's servers send: HTTP/1.1 with a content-length.
 */
export const openConnection = async (
  { host, port }: { readonly host: string; readonly port: number },
  onBroken: (error: Error) => void,
): Promise<HttpConnection> => {
  const socket = connect({ host, port, noDelay: true })
  await once(socket, 'connect')
  return overSocket(socket, onBroken)
}

/** A request's bytes. `headers` are whole lines, each with its end. */
export const requestText = (method: string, path: string, headers: string, body: string): string =>
  `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-type: application/json\r\n` +
  `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** One request, awaited. */
export const ask = (
  connection: HttpConnection,
  request: string,
): Promise<{ status: number; text: string; head: string }> =>
  new Promise((resolve) => {
    connection.send(request, (answer) => {
      resolve({ status: answer.status, text: answer.body.toString('utf8'), head: answer.head() })
    })
  })
