import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { fuzzed } from '@bourse/common/testkit/fuzz.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import { pause, until } from '../support/calls.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { readDocument } from './support/document.ts'
import { createInputs } from './support/inputs.ts'
import { startSubject, type Subject } from './support/subject.ts'

const SEED = testSeed()
const SOCKETS = fuzzed(0.3).numRuns
const RAW_REQUESTS = fuzzed(0.6).numRuns
/** Fewer than a socket may send at once, so that most sockets live to the end. */
const MESSAGES_MAX = 30
/** Whom a close blames: the sender (bad frames, bad text, too large, too many), or nobody. Never the platform (1011). */
const CLOSE_CODES = new Set([1000, 1002, 1003, 1005, 1006, 1007, 1008, 1009])
const INSIDE = /node_modules|\.ts:\d|TypeError|RangeError|SQLITE/

describe(`the web socket and the bare connection, told anything (seed ${SEED})`, () => {
  let subject: Subject
  const random = createSeededRandom(SEED)
  const { jsonOf } = createInputs({
    document: readDocument(),
    random,
    pools: () => ({ channels: ['trades', 'prices:BTC_USDC', 'prices:NO_SUCH', 'prices:', '', '__proto__'] }),
  })

  beforeAll(async () => {
    subject = await startSubject()
  }, LIMIT_MS)
  afterAll(() => subject.stop())

  const messageSchema = {
    oneOf: ['subscribe', 'unsubscribe', 'ping', 'no-such'].map((op) => ({
      type: 'object',
      properties: {
        op: { const: op },
        channels: { type: 'array', items: { type: 'string' } },
        after: {
          type: 'object',
          properties: { trades: { type: 'integer', minimum: 0, maximum: 5 } },
          required: ['trades'],
        },
      },
      required: op === 'ping' ? ['op'] : ['op', 'channels'],
    })),
  }
  const sendOne = (socket: WebSocket): void => {
    const text = jsonOf('channels', messageSchema, random.pick([0, 15, 50]))
    const roll = random.between(0, 40)
    if (roll === 0) socket.send('x'.repeat(9_000))
    else if (roll === 1) socket.send(Buffer.from([0xff, 0xfe, 0xc0]), { binary: false })
    else if (roll === 2) socket.send(Buffer.from(text), { binary: true })
    else if (roll === 3) socket.send('['.repeat(8_000))
    else if (roll === 4) socket.ping(Buffer.alloc(125, 7))
    else if (roll === 5) {
      socket.send(text.slice(0, 3), { fin: false })
      socket.send(text.slice(3))
    } else socket.send(text)
  }

  const talk = async (cookie: string | null): Promise<number> => {
    const headers = cookie === null ? {} : { cookie }
    const socket = new WebSocket(`${subject.bourse.url.replace('http', 'ws')}/ws`, { headers })
    const answers: string[] = []
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.on('message', (data) => answers.push(String(data)))
    // A socket that the platform closes may break while we send: the close code is what counts.
    socket.on('error', () => undefined)
    await Promise.race([closed, new Promise((resolve) => socket.once('open', resolve))])
    for (let count = random.between(1, MESSAGES_MAX); count > 0 && socket.readyState === socket.OPEN; count--) {
      sendOne(socket)
      if (random.chance(10)) await pause(2)
    }
    if (socket.readyState === socket.OPEN && random.chance(70)) {
      socket.send('{"op":"ping"}')
      await until(
        async () => answers,
        (all) => all.includes('{"op":"pong"}') || socket.readyState === socket.CLOSED,
      )
    }
    if (random.chance(50)) socket.close()
    else socket.terminate()
    for (const answer of answers) {
      const value = JSON.parse(answer) as Record<string, unknown>
      const isKnown = ['op', 'channel', 'errorCode'].some((name) => typeof value[name] === 'string')
      expect([isKnown, INSIDE.test(answer), answer.length < 4_000]).toEqual([true, false, true])
    }
    return closed
  }

  test(
    'every message is answered or ends its own socket for a reason of its sender’s, and nothing changes',
    async () => {
      const { cookie } = (await subject.headersOf('trader')) as { readonly cookie: string }
      const before = await subject.quiet()
      for (let count = 0; count < SOCKETS; count++) {
        const code = await talk(random.pick([null, cookie, 'authToken=x.y.z']))
        if (!CLOSE_CODES.has(code)) throw new Error(`seed ${SEED}: socket ${count} was closed with ${code}`)
      }
      expect(await subject.quiet()).toEqual(before)
      // Every socket is let go of, however it ended.
      const open = async (): Promise<string | undefined> => {
        const text = await (await fetch(`${subject.bourse.url}/metrics`)).text()
        return /^bourse_\w*(?:sockets?|connections)\w*(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]
      }
      expect(await until(open, (count) => count === '0')).toBe('0')
    },
    LIMIT_MS,
  )

  const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`
  const UPGRADE = ['GET /ws HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade']
  const ENGINE = ['POST /api/v1/engine HTTP/1.1', 'Host: x', 'Content-Type: application/json']
  const LIVE = ['GET /livez HTTP/1.1', 'Host: x']
  const HEADS = [
    head(...UPGRADE, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'),
    head(...UPGRADE, 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 99'),
    head(...LIVE),
    `${head(...ENGINE, 'Transfer-Encoding: chunked')}5\r\n{"a":\r\n0\r\n\r\n`,
    `${head(...ENGINE, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${head(...LIVE)}`,
    `${head(...ENGINE, 'Content-Length: 2', 'Expect: 100-continue')}{}`,
    head('CONNECT x:80 HTTP/1.1', 'Host: x'),
    head('GET http://other/livez HTTP/1.0'),
    head('GET /\u0000 HTTP/1.1'),
    head('OPTIONS * HTTP/1.1', 'Host: x'),
    head(...LIVE, ...Array<string>(300).fill('a: b')),
  ]

  /** What comes back on a bare connection for some bytes, until it ends or is quiet. */
  const raw = (bytes: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(subject.bourse.url)
      const socket = connect(Number(port), hostname)
      let text = ''
      const end = (): void => {
        socket.destroy()
        resolve(text)
      }
      socket.setTimeout(300, end)
      socket.on('data', (part) => (text += part.toString('latin1')))
      socket.on('end', end)
      socket.on('error', end)
      socket.end(bytes)
    })

  test('a target that is no address is refused as what it is', async () => {
    for (const target of ['http://ot[er/livez', 'http://a b/', 'http://:x/'])
      expect(await raw(Buffer.from(head(`GET ${target} HTTP/1.0`), 'latin1'))).toMatch(
        /^(HTTP\/1\.1 400 [^]*VALIDATION_ERROR|$)/,
      )
  })

  test(
    'what is no proper HTTP gets a refusal or no answer at all, and the platform goes on',
    async () => {
      for (let count = 0; count < RAW_REQUESTS; count++) {
        const bytes = Buffer.from(random.pick(HEADS), 'latin1')
        for (let edits = random.between(0, 3); edits > 0; edits--)
          bytes[random.between(0, bytes.length - 1)] = random.between(0, 255)
        const text = await raw(random.chance(80) ? bytes : bytes.subarray(0, random.between(0, bytes.length)))
        const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
        const isFine =
          statuses.every((status) => status < 500 || status === 503) && (text === '' || statuses.length > 0)
        if (!isFine || INSIDE.test(text))
          throw new Error(`seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))} got ${text.slice(0, 600)}`)
      }
      expect((await fetch(`${subject.bourse.url}/readyz`)).status).toBe(200)
      const failures = subject.bourse
        .log()
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line))
      expect(failures).toEqual([])
      expect(await subject.bourse.stop()).toEqual({ code: 0, signal: null })
    },
    LIMIT_MS,
  )
})
