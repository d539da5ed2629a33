import { describe, expect, test } from '@jest/globals'
import { createSecret } from '@bourse/common/config/secret.ts'
import { levelsOf, type LogLevel } from '@bourse/common/telemetry/log-levels.ts'
import { createLogger, type LoggerOptions } from '@bourse/common/telemetry/logger.ts'
import { createRedactor, isSecretName } from '@bourse/common/telemetry/redaction.ts'
import { readOnce } from '@bourse/common/testkit/fuzz.ts'

const collecting = (options: Partial<LoggerOptions> = {}) => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { lines, logger: createLogger({ name: 'test', level: 'trace', destination, ...options }) }
}

/** No secret of the platform looks like another; each contains what would betray it. */
const PLANTED = 'hunter2-PLANTED'

const urls = [
  `amqp://bourse:${PLANTED}@broker:5672/bourse`,
  `amqps://bourse:p@ss${PLANTED}@broker:5671`,
  `mongodb://bourse:${PLANTED}@one:27017,two:27017/bourse?replicaSet=rs0`,
  `mongodb+srv://bourse:${PLANTED}@cluster.example/bourse`,
  `redis://:${PLANTED}@cache:6379/0`,
  `https://exchange.example/api/v3/order?symbol=AZNUSDT&signature=${PLANTED}&timestamp=1`,
  `wss://gateway.example/ws?token=${PLANTED}`,
  `https://bank.example/callback?api_key=${PLANTED}#top`,
  `https://bank.example/callback?key=${PLANTED}`,
]
const TOKEN = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(`{"sub":"${PLANTED}"}`).toString('base64url')}.${PLANTED}`
const texts = [
  ...urls,
  ...urls.map((url) => `connect to ${url} failed: ECONNREFUSED`),
  `authorization: Bearer ${PLANTED}`,
  `Authorization: Basic ${Buffer.from(`bank:${PLANTED}`).toString('base64')} ${PLANTED}`,
  `the header Bearer ${PLANTED} was refused`,
  `x-api-key: ${PLANTED}`,
  `X-Bourse-Signature: t=1,v1=${PLANTED}`,
  `cookie: theme=dark; bourse_session=${PLANTED}; other=${PLANTED}`,
  `Set-Cookie: bourse_session=${PLANTED}; HttpOnly`,
  `AUTH_JWT_SECRET=${PLANTED} npm start`,
  `BOURSE_BANK_DEMO_API_KEY='${PLANTED}'`,
  `{"webhookSecret":"${PLANTED}","bank":"demo"}`,
  JSON.stringify({ body: JSON.stringify({ password: `quoted " ${PLANTED}`, email: 'ada@example.com' }) }),
  `password = ${PLANTED}, retry`,
  `-----BEGIN PRIVATE KEY-----\n${PLANTED}\n-----END PRIVATE KEY-----`,
  `a session ${TOKEN} that expired`,
]
const names = [
  'password', 'passwordHash', 'token', 'adminToken', 'controlToken', 'secret', 'jwtSecret', 'apiKey', 'api_key',
  'x-api-key', 'X-API-Key', 'webhookSecret', 'webhook_secret', 'authorization', 'Authorization', 'cookie', 'set-cookie',
  'x-bourse-signature', 'privateKey', 'credentials', 'AUTH_JWT_SECRET', 'BOURSE_BANK_DEMO_API_KEY',
] // prettier-ignore

const deep = (depth: number, leaf: unknown): unknown => (depth === 0 ? leaf : { inner: deep(depth - 1, leaf) })
const errorWith = (text: string, extra: object = {}): Error =>
  Object.assign(new Error(`outer ${text}`, { cause: new TypeError(`inner ${text}`) }), extra)

describe('no secret comes out of the logger', () => {
  test('from a field with a name of one, however deep it stands and whatever it holds', () => {
    const { lines, logger } = collecting()
    for (const name of names) {
      for (const held of [PLANTED, [PLANTED], { current: PLANTED }, Buffer.from(PLANTED), createSecret(PLANTED)]) {
        const fields = { [name]: held }
        logger.info({ ...fields, bank: 'demo' }, 'a call')
        logger.error({ config: { cluster: fields }, request: { headers: fields } }, 'a call')
        logger.warn({ list: [[{ deep: deep(6, fields) }]] })
        logger.error(errorWith('x', fields))
        logger.child(fields).info('a child')
        logger.child({ request: { headers: fields } }, { msgPrefix: 'x ' }).info('a child')
      }
      logger.info({ rawHeaders: ['host', 'bank.example', name, PLANTED] })
      logger.info({ env: [{ name, value: PLANTED }] })
      logger.info('formatted %o %j', { [name]: PLANTED }, { deep: deep(3, { [name]: PLANTED }) })
    }
    expect(lines).toHaveLength(names.length * (5 * 6 + 3))
    expect(lines.filter((line) => line.includes(PLANTED))).toEqual([])
  })

  test('from a text, wherever it stands', () => {
    const { lines, logger } = collecting()
    for (const text of texts) {
      logger.info(text)
      logger.info({ url: text }, text)
      logger.info({ deep: deep(9, [text]) }, 'nested')
      logger.info({ [text]: 1 }, 'as a name')
      logger.info('formatted %s', text)
      logger.error(errorWith(text))
      logger.error({ err: errorWith(text) })
      logger.error({ err: errorWith(text, { uri: text, response: { body: text } }) }, 'failed')
      logger.error({ err: new AggregateError([errorWith(text)], text) }, 'failed')
      logger.error({ err: text }, 'failed')
      logger.fatal({ url: URL.canParse(text) ? new URL(text) : text })
      logger.child({ rabbitmq: text }).warn('a child')
      logger.child({}).child({ rabbitmq: text }).warn('a child')
    }
    expect(lines.length).toBe(texts.length * 13)
    const planted = [PLANTED, TOKEN, Buffer.from(`bank:${PLANTED}`).toString('base64')]
    const betrayed = texts.filter((_, index) =>
      lines.slice(index * 13, index * 13 + 13).some((line) => planted.some((secret) => line.includes(secret))),
    )
    expect(betrayed).toEqual([])
  })

  test('when it is known by its text, whatever it looks like and however it is written', () => {
    const known = 'Correct horse/battery "staple"'
    const { lines, logger } = collecting({ redactor: createRedactor([known, 'abc']) })
    logger.info(`the bank sent ${known} as its name; abc stays`)
    logger.info({ [known]: [known], path: `/v1/${encodeURIComponent(known)}`, body: JSON.stringify({ a: known }) })
    logger.error(errorWith(known))
    expect(lines.join('')).not.toMatch(/Correct|staple/)
    expect(lines.join('')).toContain('abc stays')
  })

  test('and what is not secret stays as it was', () => {
    const { lines, logger } = collecting()
    const fields = {
      bank: 'demo',
      sequence: 12n,
      isReady: true,
      at: new Date(0),
      nothing: null,
      url: 'https://bank.example:8443/callback?user=1',
      tokensLeft: 7,
      hasPassword: false,
    }
    logger.info(fields, 'the user ada@example.com opened trade_7 at 10:30: a basic check of broker amqp://broker:5672')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      ...fields,
      sequence: 12,
      at: '1970-01-01T00:00:00.000Z',
      msg: 'the user ada@example.com opened trade_7 at 10:30: a basic check of broker amqp://broker:5672',
      name: 'test',
    })
  })
})

describe('the logger', () => {
  test('writes an error with type, stack, cause and what stands on it, and takes its message when there is none', () => {
    const { lines, logger } = collecting()
    logger.error({ err: errorWith('text', { code: 'ECONNREFUSED' }) })
    const line = JSON.parse(lines[0]!)
    expect(line).toMatchObject({
      msg: 'outer text',
      err: {
        type: 'Error',
        message: 'outer text',
        code: 'ECONNREFUSED',
        cause: { type: 'TypeError', message: 'inner text' },
      },
    })
    expect(line.err.stack).toContain('logger.test.ts')
  })

  test('bounds what is endless, deep or throws', () => {
    const { lines, logger } = collecting()
    const circle: Record<string, unknown> = { name: 'circle' }
    circle['self'] = circle
    logger.info({
      circle,
      deep: deep(40, 'bottom'),
      wide: Array.from({ length: 100_000 }, (_, index) => index),
      long: 'x'.repeat(1_000_000),
      broken: Object.defineProperty({}, 'x', { enumerable: true, get: () => { throw new Error('no') } }),
    }) // prettier-ignore
    expect(lines[0]!.length).toBeLessThan(100_000)
    expect(JSON.parse(lines[0]!)).toMatchObject({ circle: { self: '[circular]' }, broken: '[unreadable]' })
  })

  test('cuts a long text, and nothing of a secret that the cut goes through is left', () => {
    const { text, value } = createRedactor([PLANTED])
    for (const length of [3_000, 100_000])
      for (let back = 0; back < 42; back += 3) {
        const given = `${'x'.repeat(32_768 - back)} https://bank:${PLANTED}@host ${'y'.repeat(length)}`
        for (const clean of [text(given), text(`${'z'.repeat(4_096)}${given}`)]) {
          expect(clean).not.toMatch(/hunter|PLANT/)
          expect(clean).toMatch(/… \d+ more$/)
        }
      }
    // Looking at all of many texts would take seconds.
    const many = Array.from({ length: 20 }, () => 'w'.repeat(30_000))
    expect((value(many) as string[]).filter((one) => one === '[more]')).toHaveLength(15)
  })

  test('takes long texts that nearly match without losing time', () => {
    const nearly = [
      'a'.repeat(30_000),
      'password'.repeat(4_000),
      '"\\'.repeat(15_000),
      'x://'.repeat(8_000),
      'eyJ'.repeat(10_000),
    ]
    const { logger } = collecting()
    for (const text of nearly) expect(readOnce(() => logger.info(text), [])).toHaveProperty('value')
  })

  test('changes its level with all children, those there were and those to come, while it runs', () => {
    const { lines, logger } = collecting({ level: 'info' })
    const levels = levelsOf(logger)
    const child = logger.child({ partition: 'ledger/0' })
    const grandchild = child.child({ queue: 'x' }, { msgPrefix: '> ' })
    const sayAll = (): LogLevel[] => {
      lines.length = 0
      for (const one of [logger, child, grandchild, child.child({ late: true })]) {
        one.debug('debug')
        one.info('info')
        one.error('error')
      }
      return lines.map(
        (line) => (({ 20: 'debug', 30: 'info', 50: 'error' }) as const)[JSON.parse(line).level as 20 | 30 | 50],
      )
    }
    expect([levels.get(), sayAll()]).toEqual([
      'info',
      ['info', 'error', 'info', 'error', 'info', 'error', 'info', 'error'],
    ])
    levels.set('debug')
    expect([levels.get(), sayAll().length, grandchild.isLevelEnabled('debug')]).toEqual(['debug', 12, true])
    levels.set('error')
    expect([levels.get(), sayAll()]).toEqual(['error', ['error', 'error', 'error', 'error']])
    levels.set('silent')
    expect([levels.get(), sayAll()]).toEqual(['silent', []])
  })

  test('adds what is going on to every line, and tells the level of each', () => {
    const heard: LogLevel[] = []
    let context: Record<string, string> = {}
    const { lines, logger } = collecting({
      level: 'info',
      context: () => context,
      onLine: (level) => void heard.push(level),
    })
    logger.info('none')
    context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
    logger.child({ partition: 'x' }).warn({ commandId: 'c' }, 'within')
    logger.debug('not written')
    expect(JSON.parse(lines[0]!)).not.toHaveProperty('traceId')
    expect(JSON.parse(lines[1]!)).toMatchObject({ ...context, commandId: 'c', partition: 'x', msg: 'within' })
    expect(heard).toEqual(['info', 'warn'])
  })
})

test('names of secrets are recognised in every spelling, others are not', () => {
  expect(names.filter((name) => !isSecretName(name))).toEqual([])
  expect(['bank', 'key', 'partition', 'requestId', 'author', 'pass', 'sessions'].filter(isSecretName)).toEqual([])
})
