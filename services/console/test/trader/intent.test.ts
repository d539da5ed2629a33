import { describe, expect, test } from '@jest/globals'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { createIntent, type IntentState } from '../../src/trader/intent.ts'

const refusal = (code: string, retryAfterSeconds: number | null = null) =>
  new BourseRefusal({ status: 0, code, message: `${code} said`, retryAfterSeconds })

/** A server whose answers are written down, timers that run when told. */
const stage = (answers: readonly (string | Error)[]) => {
  const sent: { readonly input: string; readonly key: string }[] = []
  const timers = new Map<number, { readonly delayMs: number; readonly task: () => void }>()
  let keys = 0
  let ids = 0
  const seen: IntentState<string>[] = []
  const intent = createIntent<string, string>({
    makeKey: () => `key-${++keys}`,
    schedule: (delayMs, task) => {
      const id = ++ids
      timers.set(id, { delayMs, task })
      return () => timers.delete(id)
    },
    send: async (input, key) => {
      sent.push({ input, key })
      const answer = answers[sent.length - 1]
      if (answer === undefined) throw refusal('UNREACHABLE')
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  intent.state.subscribe(() => seen.push(intent.state.getSnapshot()))
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  /** Runs every timer that waits now. */
  const elapse = async (): Promise<readonly number[]> => {
    await turn()
    const due = [...timers.entries()]
    timers.clear()
    for (const [, { task }] of due) task()
    await turn()
    return due.map(([, { delayMs }]) => delayMs)
  }
  return { intent, sent, seen, elapse, turn, timers }
}

describe('an intent', () => {
  test('is done by its answer', async () => {
    const { intent, sent, timers } = stage(['opened'])
    await intent.submit('order')
    expect(intent.state.getSnapshot()).toEqual({ kind: 'done', answer: 'opened' })
    expect(sent).toEqual([{ input: 'order', key: 'key-1' }])
    expect(timers.size).toBe(0)
  })

  test('whose answer was lost asks again with the same request and the same key, until there is one', async () => {
    const { intent, sent, seen, elapse } = stage([refusal('UNREACHABLE'), refusal('UNAVAILABLE', 3), 'opened'])
    const done = intent.submit('order')
    await elapse()
    const waits = await elapse()
    await done
    expect(sent.map(({ key }) => key)).toEqual(['key-1', 'key-1', 'key-1'])
    expect(new Set(sent.map(({ input }) => input))).toEqual(new Set(['order']))
    expect(waits).toContain(3_000)
    expect(seen.map(({ kind }) => kind)).toEqual(['sending', 'asking-again', 'asking-again', 'done'])
  })

  test('that nobody answers ends unknown, blocks another, and can be asked for again under its key', async () => {
    const { intent, sent, elapse } = stage([])
    const given = intent.submit('order')
    for (let i = 0; i < 12; i++) await elapse()
    await given
    expect(intent.state.getSnapshot().kind).toBe('unknown')
    expect(sent).toHaveLength(9)
    await intent.submit('another')
    expect(sent).toHaveLength(9)
    const again = intent.again()
    for (let i = 0; i < 12; i++) await elapse()
    await again
    expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(['key-1']))
    intent.dismiss()
    void intent.submit('another')
    expect(sent.at(-1)).toEqual({ input: 'another', key: 'key-2' })
  })

  test('that is refused says so, and the next one has a key of its own', async () => {
    const { intent, sent } = stage([refusal('INSUFFICIENT_FUNDS'), 'opened'])
    await intent.submit('order')
    expect(intent.state.getSnapshot()).toMatchObject({ kind: 'refused', refused: { code: 'INSUFFICIENT_FUNDS' } })
    await intent.submit('order')
    expect(sent.map(({ key }) => key)).toEqual(['key-1', 'key-2'])
  })

  test('is given once however often the button is pressed', async () => {
    const { intent, sent } = stage(['opened'])
    const both = [intent.submit('order'), intent.submit('order')]
    await Promise.all(both)
    expect(sent).toHaveLength(1)
  })

  test('that takes long says so while it is sent', async () => {
    let answer = (_text: string): void => undefined
    const timers: (() => void)[] = []
    const intent = createIntent<string, string>({
      makeKey: () => 'key',
      schedule: (_delayMs, task) => {
        timers.push(task)
        return () => undefined
      },
      send: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    })
    const given = intent.submit('order')
    timers[0]?.()
    expect(intent.state.getSnapshot()).toEqual({ kind: 'sending', slow: true })
    intent.dismiss()
    expect(intent.state.getSnapshot()).toEqual({ kind: 'sending', slow: true })
    answer('opened')
    await given
    expect(intent.state.getSnapshot().kind).toBe('done')
  })

  test('shows a fault of the console itself as refused, not as unknown', async () => {
    const { intent } = stage([new TypeError('broken')])
    await intent.submit('order')
    expect(intent.state.getSnapshot()).toMatchObject({ kind: 'refused', refused: { code: 'CONSOLE_FAULT' } })
  })
})
