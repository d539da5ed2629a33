import { describe, expect, test } from '@jest/globals'
import pino from 'pino'
import type { Settlement } from '../../src/adapters/rabbitmq/bus-pack.ts'
import { createRequests } from '../../src/adapters/rabbitmq/bus-requests.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const DEADLINE_MS = 1_000

/** One request whose message the test settles, and how it ends. */
const asked = () => {
  const clock = createManualClock(0)
  const settlements: Settlement[] = []
  const requests = createRequests({
    clock,
    logger: pino({ enabled: false }),
    publish: (_partition, _message, _correlation, settlement) => void settlements.push(settlement),
  })
  const message = { type: 'command', body: new Uint8Array(56), deadlineMs: DEADLINE_MS } as const
  const end = requests.ask(1, message).then(
    () => 'answered',
    (error: unknown) => (error as { readonly kind: string }).kind,
  )
  const [settlement] = settlements
  if (settlement === undefined) throw new Error('nothing was published')
  return { clock, requests, settlement, end }
}

describe('a request over RabbitMQ without a reply', () => {
  test('fails unavailable when its time is over before the broker got it: it will never arrive', async () => {
    const { clock, requests, settlement, end } = asked()
    await clock.advance(DEADLINE_MS)
    settlement.expired(false)
    expect(await end).toBe('unavailable')
    expect(requests.counts).toMatchObject({ requests: 1, timeouts: 1 })
    expect(requests.waiting()).toBe(0)
    await requests.close()
  })

  test('fails timeout when it was published: it may arrive all the same', async () => {
    const { clock, requests, settlement, end } = asked()
    settlement.published()
    await clock.advance(DEADLINE_MS)
    settlement.expired(true)
    await clock.advance(100)
    expect(await end).toBe('timeout')
    expect(requests.counts).toMatchObject({ requests: 1, timeouts: 1 })
    await requests.close()
  })

  test('fails timeout when nothing is heard of its message', async () => {
    const { clock, requests, settlement, end } = asked()
    await clock.advance(DEADLINE_MS + 100)
    expect(await end).toBe('timeout')
    settlement.expired(false)
    expect(requests.counts.timeouts).toBe(1)
    await requests.close()
  })

  test('fails unknown when the connection it was published on is lost, and waits when it was not', async () => {
    const one = asked()
    one.settlement.published()
    one.requests.lost(new Error('reset'))
    expect(await one.end).toBe('unknown')
    await one.requests.close()
    const other = asked()
    other.requests.lost(new Error('reset'))
    expect(other.requests.waiting()).toBe(1)
    await other.requests.close()
    expect(await other.end).toBe('closed')
  })
})
