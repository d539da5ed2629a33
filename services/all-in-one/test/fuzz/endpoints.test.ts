import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fuzzed } from '@bourse/common/testkit/fuzz.ts'
import { createSeededRandom, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { runCommand } from '../support/process.ts'
import { readDocument, type Operation } from './support/document.ts'
import { createInputs, type Sent } from './support/inputs.ts'
import { faultsOf, refusalCodeOf } from './support/judge.ts'
import { callers, startSubject, type Caller, type Fingerprint, type Subject } from './support/subject.ts'
import { createWire, type Received } from './support/wire.ts'

const SEED = testSeed()
/** Requests of one operation with one caller's credentials. */
const REQUESTS = fuzzed(0.05).numRuns
/** When no further operation is begun, if as many requests were sent as say something: a slow machine does less. */
const BUDGET_MS = 20_000 * Math.max(1, fuzzed(0.01).numRuns)
const SENT_LEAST = 400

/** Refusals that are decided before anything is put in order: not even a journal or the audit may show them. */
const DOOR_CODES = new Set([
  'VALIDATION_ERROR',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'METHOD_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'RATE_LIMITED',
])

const document = readDocument()

interface Exchange {
  readonly caller: Caller
  readonly sent: Sent
  readonly received: Received
}

const told = ({ caller, sent, received }: Exchange): string => {
  const { cookie: _, authorization: __, 'x-api-key': ___, ...headers } = sent.headers
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${String(value).slice(0, 120)}`)
  return [
    `${sent.method} ${sent.target.slice(0, 400)} as ${caller}`,
    ...shown,
    sent.body === null ? '(no body)' : sent.body.toString('utf8').slice(0, 600),
    `→ ${received.status} ${received.text.slice(0, 600)}`,
  ].join('\n')
}

/** Whether an answer says that nothing was done; one that came too late to be heard of says nothing. */
const isRefusal = ({ sent, received }: Exchange): boolean =>
  (received.status >= 400 && refusalCodeOf(received) !== 'UNAVAILABLE') ||
  (sent.method === 'GET' && !sent.target.startsWith('/api/v1/admin/'))

const isAtTheDoor = (exchange: Exchange): boolean =>
  exchange.received.status < 400 || DOOR_CODES.has(refusalCodeOf(exchange.received) ?? '')

const shuffled = <Item>(random: SeededRandom, items: readonly Item[]): Item[] => {
  const left = [...items]
  return items.map(() => left.splice(random.between(0, left.length - 1), 1)[0]!)
}

describe(`every endpoint of the document, told anything (seed ${SEED})`, () => {
  let subject: Subject
  let wire: ReturnType<typeof createWire>
  const random = createSeededRandom(SEED)

  beforeAll(async () => {
    subject = await startSubject()
    wire = createWire(subject.bourse.url)
  }, LIMIT_MS)
  afterAll(async () => {
    wire.stop()
    await subject.stop()
  })

  const address = (): string => `10.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(1, 254)}`

  const exchange = async (sent: Sent, caller: Caller): Promise<Exchange> => {
    // What the request itself says of cookies and keys comes last: it may be wrong on purpose.
    const headers = { 'x-forwarded-for': address(), ...(await subject.headersOf(caller)), ...sent.headers }
    const whole = { ...sent, headers }
    const received = await wire.send(whole).catch((error: unknown) => {
      const none = { status: 0, headers: {}, text: String(error) }
      throw new Error(`seed ${SEED}: no answer\n${told({ caller, sent: whole, received: none })}`, { cause: error })
    })
    const made = { caller, sent: whole, received }
    const faults = faultsOf(document, whole, received)
    if (faults.length > 0) throw new Error(`seed ${SEED}: ${faults.join('; ')}\n${told(made)}`)
    subject.learn(received)
    return made
  }

  /** What was refused since the last success left everything as it was; answers how it is now. */
  const expectNoTrace = async (before: Fingerprint, since: readonly Exchange[]): Promise<Fingerprint> => {
    if (since.length === 0) return before
    const isAsBefore = ({ money, state }: Fingerprint): boolean =>
      money === before.money && (!since.every(isAtTheDoor) || state === before.state)
    const atOnce = await subject.fingerprint()
    // The view still shows a bank's trade as under way for a moment after the bank was told that it failed.
    const after = isAsBefore(atOnce) ? atOnce : await subject.quiet()
    try {
      expect(after.money).toBe(before.money)
      if (since.every(isAtTheDoor)) expect(after.state).toBe(before.state)
    } catch (error) {
      const difference = error instanceof Error ? error.message : String(error)
      const list = since.map(told).join('\n\n')
      throw new Error(`seed ${SEED}: a refusal left a trace\n${difference}\nafter one of\n${list}`, { cause: error })
    }
    return after
  }

  /** Tells an operation REQUESTS things; answers what came, and how the platform is after them. */
  const tell = async (
    operation: Operation,
    caller: Caller,
    atFirst: Fingerprint,
  ): Promise<{ readonly made: readonly Exchange[]; readonly after: Fingerprint }> => {
    const inputs = createInputs({ document, random, pools: subject.pools })
    const made: Exchange[] = []
    let since: Exchange[] = []
    let before = atFirst
    for (let count = 0; count < REQUESTS; count++) {
      const one = await exchange(inputs.requestOf(operation), caller)
      made.push(one)
      if (isRefusal(one)) {
        since.push(one)
        continue
      }
      since = []
      before = await subject.quiet()
    }
    return { made, after: await expectNoTrace(before, since) }
  }

  test(
    'nobody gets an answer that is not documented, sees the inside, or leaves a trace with what was refused',
    async () => {
      const end = performance.now() + BUDGET_MS
      const plan = document.operations.flatMap((operation) => callers.map((caller) => ({ operation, caller })))
      const answered = new Map<string, number>()
      let told = 0
      let now = await subject.quiet()
      for (const { operation, caller } of shuffled(random, plan)) {
        if (performance.now() > end && told >= SENT_LEAST) break
        const { made, after } = await tell(operation, caller, now)
        now = after
        for (const { received } of made) {
          told += 1
          const kind = `${Math.floor(received.status / 100)}xx`
          answered.set(kind, (answered.get(kind) ?? 0) + 1)
        }
      }
      // The generator must reach both sides of the door, or all of the above says little.
      expect([
        told >= SENT_LEAST,
        (answered.get('2xx') ?? 0) > told / 20,
        (answered.get('4xx') ?? 0) > told / 5,
      ]).toEqual([true, true, true])
    },
    BUDGET_MS + LIMIT_MS,
  )

  test(
    'the platform logged no failure, stops in order, and its journals and books verify',
    async () => {
      expect((await wire.send({ method: 'GET', target: '/readyz', headers: {}, body: null })).status).toBe(200)
      const failures = subject.bourse
        .log()
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line))
      expect(failures).toEqual([])
      expect(await subject.bourse.stop()).toEqual({ code: 0, signal: null })
      const { code, stdout } = await runCommand('verify', ['--data-dir', subject.bourse.dataDir])
      expect([code, code === 0 ? '' : stdout]).toEqual([0, ''])
    },
    LIMIT_MS,
  )
})
