import { describe, expect, test } from '@jest/globals'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { createIntent } from '../../src/trader/intent.ts'

const refusal = (code: string) => new BourseRefusal({ status: 0, code, message: `${code} said` })

/** A server whose answers are written down, and timers that run at once. */
const stage = (answers: readonly (string | Error)[]) => {
  const keys: string[] = []
  let made = 0
  const intent = createIntent<string, string>({
    makeKey: () => `key-${++made}`,
    schedule: (_delayMs, task) => {
      queueMicrotask(task)
      return () => undefined
    },
    send: async (_input, key) => {
      keys.push(key)
      const answer = answers[keys.length - 1]
      if (answer === undefined) throw new Error('one question too many')
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  return { intent, keys, state: () => intent.state.getSnapshot() }
}

describe('an intent whose answer was lost', () => {
  test('and whose session then ended is unknown, blocks another one, and has its key after signing in', async () => {
    const { intent, keys, state } = stage([refusal('UNREACHABLE'), refusal('UNAUTHENTICATED'), 'opened'])
    await intent.submit('order')
    expect(state()).toMatchObject({ kind: 'unknown', refused: { code: 'UNAUTHENTICATED' } })
    await intent.submit('order')
    expect(keys).toHaveLength(2)
    await intent.again()
    expect(state()).toEqual({ kind: 'done', answer: 'opened' })
    expect(keys).toEqual(['key-1', 'key-1', 'key-1'])
  })

  test('is still in doubt when asking again by hand finds no session', async () => {
    const { intent, keys, state } = stage([
      refusal('UNREACHABLE'),
      refusal('UNAUTHENTICATED'),
      refusal('UNAUTHENTICATED'),
      'opened',
    ])
    await intent.submit('order')
    await intent.again()
    expect(state().kind).toBe('unknown')
    await intent.again()
    expect(state().kind).toBe('done')
    expect(new Set(keys)).toEqual(new Set(['key-1']))
  })

  test('goes on asking when a repeat comes too fast', async () => {
    const { intent, keys, state } = stage([refusal('UNREACHABLE'), refusal('RATE_LIMITED'), 'opened'])
    await intent.submit('order')
    expect(state()).toEqual({ kind: 'done', answer: 'opened' })
    expect(keys).toEqual(['key-1', 'key-1', 'key-1'])
  })

  test('is not in doubt when nothing was lost: a session that has ended did nothing', async () => {
    const { intent, state } = stage([refusal('UNAUTHENTICATED')])
    await intent.submit('order')
    expect(state()).toMatchObject({ kind: 'refused', refused: { code: 'UNAUTHENTICATED' } })
  })
})

describe('an intent that is forgotten', () => {
  test('while it is under way is neither sent again nor shown, and its sending is ended', async () => {
    let answer = (_text: string): void => undefined
    const sent: AbortSignal[] = []
    const intent = createIntent<string, string>({
      makeKey: () => 'key',
      schedule: () => () => undefined,
      send: (_input, _key, signal) => {
        sent.push(signal)
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    })
    const given = intent.submit('order')
    intent.forget()
    expect(sent[0]?.aborted).toBe(true)
    expect(intent.state.getSnapshot()).toEqual({ kind: 'idle' })
    answer('opened')
    await given
    expect(intent.state.getSnapshot()).toEqual({ kind: 'idle' })
    await intent.again()
    expect(sent).toHaveLength(1)
  })
})

describe('what an intent is of', () => {
  test('is told for as long as its state is shown, so that a dialog of something else does not show it as its own', async () => {
    const { intent } = stage([refusal('TRADE_CLOSED')])
    expect(intent.asked()).toBeNull()
    await intent.submit('close trade 1')
    expect(intent.asked()).toBe('close trade 1')
    intent.dismiss()
    expect(intent.asked()).toBeNull()
  })
})
