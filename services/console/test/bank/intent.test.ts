import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createDeeds } from '../../src/bank/deeds.ts'
import { answered, begin, isOpen, NO_INTENT, refused, repeat, type Deed, type Intent } from '../../src/bank/intent.ts'

const deed: Deed = {
  kind: 'BUY',
  bankUserId: 'user_1',
  amount: '100.00',
  currency: 'AZN',
  quoteId: null,
  reference: '',
}
const refusal = (code: string) => ({ code, message: code, retryAfterSeconds: null, requestId: null })
const keys = () => {
  let made = 0
  return () => `key-${++made}`
}
const sent = (): Intent => begin(NO_INTENT, deed, () => 'key-1')

describe('the key of a deed', () => {
  test.each(['UNREACHABLE', 'UNREADABLE', 'UNAVAILABLE', 'INTERNAL_ERROR', 'REQUEST_TIMEOUT', 'CONSOLE_FAULT'])(
    'is kept after %s, because nobody knows what became of it',
    (code) => {
      const unknown = refused(sent(), 'key-1', refusal(code))
      expect(unknown).toMatchObject({ step: 'unknown', key: 'key-1' })
      expect(repeat(unknown)).toMatchObject({ step: 'sending', key: 'key-1', deed, isRepeat: true })
    },
  )

  test('is kept while the deed is pending, and asks again with the very deed', () => {
    const pending = answered(sent(), 'key-1', { transactionId: 'tx_1', status: 'PENDING' })
    expect(pending).toMatchObject({ step: 'pending', transactionId: 'tx_1' })
    expect(repeat(pending)).toEqual({ step: 'sending', key: 'key-1', deed, isRepeat: true })
  })

  test('is new for the next deed after an end, also when the next is the same', () => {
    const makeKey = keys()
    const first = begin(NO_INTENT, deed, makeKey)
    const done = answered(first, 'key-1', { transactionId: 'tx_1', status: 'COMPLETED' })
    expect(begin(done, deed, makeKey)).toMatchObject({ key: 'key-2', isRepeat: false })
    const failed = refused(sent(), 'key-1', refusal('INSUFFICIENT_LIQUIDITY'))
    expect(failed).toMatchObject({ step: 'refused', isRecorded: true })
    expect(begin(failed, deed, makeKey)).toMatchObject({ key: 'key-3' })
  })

  test.each(['VALIDATION_ERROR', 'UNAUTHENTICATED', 'BANK_SUSPENDED', 'PAYLOAD_TOO_LARGE', 'RATE_LIMITED'])(
    'is used again for the same deed after %s, under which nothing is recorded, and not for another deed',
    (code) => {
      const before = refused(sent(), 'key-1', refusal(code))
      expect(before).toMatchObject({ step: 'refused', isRecorded: false })
      expect(begin(before, deed, () => 'key-2')).toMatchObject({ key: 'key-1' })
      expect(begin(before, { ...deed, amount: '101' }, () => 'key-2')).toMatchObject({ key: 'key-2' })
      expect(begin(before, { ...deed, quoteId: 'q_1' }, () => 'key-2')).toMatchObject({ key: 'key-2' })
    },
  )

  test('stays with an unknown deed when the question about it is refused: that refuses the question, not the deed', () => {
    const again = repeat(refused(sent(), 'key-1', refusal('UNREACHABLE')))
    expect(refused(again, 'key-1', refusal('RATE_LIMITED'))).toMatchObject({ step: 'unknown', key: 'key-1' })
    expect(refused(again, 'key-1', refusal('SLIPPAGE'))).toMatchObject({ step: 'refused', isRecorded: true })
  })

  test('of an answer that comes late for another deed changes nothing', () => {
    const now = sent()
    expect(answered(now, 'key-0', { transactionId: 'tx_0', status: 'COMPLETED' })).toBe(now)
    expect(refused(now, 'key-0', refusal('SLIPPAGE'))).toBe(now)
  })
})

/** A platform that keeps what was done by key, and whose answers may be lost. */
const createPlatform = (plan: readonly ('answer' | 'lose-before' | 'lose-after' | 'pending' | 'busy')[]) => {
  const done = new Map<string, string>()
  let call = 0
  return {
    done,
    perform: async ({ amount }: Deed, key: string) => {
      const fate = plan[call++] ?? 'answer'
      await Promise.resolve()
      if (fate === 'busy') throw new Error('RATE_LIMITED')
      if (fate === 'lose-before') throw new Error('UNREACHABLE')
      if (!done.has(key)) done.set(key, amount)
      if (fate === 'lose-after') throw new Error('UNREACHABLE')
      return { transactionId: `tx_${key}`, status: fate === 'pending' ? 'PENDING' : 'COMPLETED' } as const
    },
  }
}

const fates = fc.constantFrom('answer', 'lose-before', 'lose-after', 'pending', 'busy' as const)

describe('a desk that does deeds', () => {
  test('does each deed once, whatever is lost on the way and however often it is asked again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fates, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), async (plan, wanted) => {
        const platform = createPlatform(plan)
        const deeds = createDeeds({
          perform: platform.perform,
          makeKey: keys(),
          refusalOf: (error) => refusal(error instanceof Error ? error.message : ''),
          onEnd: () => undefined,
        })
        for (let index = 0; index < wanted; index++) {
          const next = { ...deed, amount: String(index + 1) }
          while (!(deeds.getSnapshot().step === 'done' && lastAmount(deeds.getSnapshot()) === next.amount)) {
            if (isOpen(deeds.getSnapshot())) await deeds.askAgain()
            else await deeds.send(next)
          }
        }
        const amounts = Array.from({ length: wanted }, (_, index) => String(index + 1))
        expect([...platform.done.values()].sort()).toEqual(amounts)
      }),
    )
  })

  test('sends nothing while the end of another deed is open', async () => {
    const sentKeys: string[] = []
    const deeds = createDeeds({
      perform: async (_, key) => {
        sentKeys.push(key)
        return { transactionId: 'tx_1', status: 'PENDING' }
      },
      makeKey: keys(),
      refusalOf: () => refusal('UNREACHABLE'),
      onEnd: () => undefined,
    })
    await deeds.send(deed)
    expect(await deeds.send({ ...deed, amount: '7' })).toBe(false)
    await deeds.askAgain()
    expect(sentKeys).toEqual(['key-1', 'key-1'])
  })

  test('tells when a deed has ended, and forgets it only when it is not under way', async () => {
    let ends = 0
    let answer: () => void = () => undefined
    const deeds = createDeeds({
      perform: () =>
        new Promise((resolve) => {
          answer = () => resolve({ transactionId: 'tx_1', status: 'COMPLETED' })
        }),
      makeKey: keys(),
      refusalOf: () => refusal('UNREACHABLE'),
      onEnd: () => {
        ends += 1
      },
    })
    const sending = deeds.send(deed)
    deeds.forget()
    expect(deeds.getSnapshot()).toMatchObject({ step: 'sending' })
    expect(ends).toBe(0)
    answer()
    await sending
    expect(ends).toBe(1)
    deeds.forget()
    expect(deeds.getSnapshot()).toEqual({ step: 'none' })
  })
})

const lastAmount = (intent: Intent): string | null => (intent.step === 'none' ? null : intent.deed.amount)
