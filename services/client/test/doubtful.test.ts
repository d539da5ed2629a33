import { describe, expect, test } from '@jest/globals'
import { createBourseClient } from '../src/client.ts'
import { BourseRefusal } from '../src/refusal.ts'

const OPEN = { asset: 'BTC_USDC', direction: 'LONG', margin: '100', leverage: 10 } as const

/** A client whose calls end as given, in turn: `lost`, or refused with a status and a code. */
const begin = (ends: readonly ('lost' | readonly [status: number, code: string])[]) => {
  let calls = 0
  const client = createBourseClient({
    baseUrl: 'https://bourse.test',
    fetch: async () => {
      const end = ends[calls++]
      if (end === undefined) throw new Error('one call too many')
      if (end === 'lost') throw new TypeError('fetch failed')
      const [status, errorCode] = end
      return Response.json({ success: false, errorCode, message: 'said so' }, { status })
    },
    makeKey: () => 'the-key',
    schedule: (_delayMs, task) => {
      queueMicrotask(task)
      return () => undefined
    },
  })
  return { client, calls: () => calls }
}

const refusalOf = async (call: Promise<unknown>): Promise<BourseRefusal> => {
  const caught: unknown = await call.catch((error: unknown) => error)
  if (!(caught instanceof BourseRefusal)) throw new Error('it was not refused')
  return caught
}

describe('a command whose answer was lost', () => {
  test.each([
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [429, 'RATE_LIMITED'],
  ])('and whose repeat is refused with %d %s stays unknown: the first one may have been done', async (status, code) => {
    const { client, calls } = begin(['lost', [status, code]])
    const refusal = await refusalOf(client.engine.createTrade(OPEN))
    expect(refusal).toMatchObject({ code: 'UNREACHABLE', isUnknown: true, idempotencyKey: 'the-key', status })
    expect(refusal.message).toContain(code)
    expect(calls()).toBe(2)
  })

  test('and whose last repeat finds the platform stopping stays unknown too', async () => {
    const { client } = begin(['lost', [503, 'UNAVAILABLE'], [503, 'UNAVAILABLE'], [503, 'UNAVAILABLE']])
    expect(await refusalOf(client.engine.createTrade(OPEN))).toMatchObject({ isUnknown: true })
  })

  test('and whose repeat says what became of it is what it says', async () => {
    const { client } = begin(['lost', [422, 'INSUFFICIENT_FUNDS']])
    expect(await refusalOf(client.engine.createTrade(OPEN))).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      isUnknown: false,
    })
  })

  test.each([
    [503, 'UNAVAILABLE'],
    [500, 'INTERNAL_ERROR'],
  ])(
    'and one that the platform answers with %d %s each time is unknown: it may have been done',
    async (status, code) => {
      const { client, calls } = begin(Array.from({ length: 4 }, () => [status, code] as const))
      expect(await refusalOf(client.engine.createTrade(OPEN))).toMatchObject({
        isUnknown: true,
        status,
        idempotencyKey: 'the-key',
      })
      expect(calls()).toBe(4)
    },
  )

  test('is not in doubt when the first answer came and refused the question', async () => {
    const { client } = begin([[401, 'UNAUTHENTICATED']])
    expect(await refusalOf(client.engine.createTrade(OPEN))).toMatchObject({
      code: 'UNAUTHENTICATED',
      isUnknown: false,
    })
  })
})
