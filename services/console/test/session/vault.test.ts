import { describe, expect, test } from '@jest/globals'
import { createVault } from '../../src/session/vault.ts'

/** Time that a test moves, with the timers due in it; `sleep` moves it without running any, as a laptop's lid does. */
const createTime = () => {
  let now = 1_000_000
  const timers = new Map<number, { readonly atMs: number; readonly task: () => void }>()
  let names = 0
  return {
    nowMs: () => now,
    schedule: (delayMs: number, task: () => void) => {
      const name = ++names
      timers.set(name, { atMs: now + delayMs, task })
      return () => {
        timers.delete(name)
      }
    },
    pass: (spanMs: number) => {
      const endMs = now + spanMs
      for (;;) {
        const due = [...timers].filter(([, { atMs }]) => atMs <= endMs).sort(([, a], [, b]) => a.atMs - b.atMs)[0]
        if (due === undefined) break
        timers.delete(due[0])
        now = Math.max(now, due[1].atMs)
        due[1].task()
      }
      now = endMs
    },
    sleep: (spanMs: number) => {
      now += spanMs
    },
    timers,
  }
}

describe('a vault', () => {
  test('holds a secret from opening to locking, and shows only whether it does', () => {
    const vault = createVault(createTime())
    const seen: unknown[] = []
    vault.subscribe(() => seen.push(vault.getSnapshot()))
    expect(vault.getSnapshot()).toEqual({ isOpen: false, reason: 'new' })
    vault.open('a-secret')
    expect(vault.secret()).toBe('a-secret')
    vault.lock('asked')
    expect(vault.secret()).toBeNull()
    expect(seen).toEqual([
      { isOpen: true, opening: 1 },
      { isOpen: false, reason: 'asked' },
    ])
    expect(JSON.stringify(seen)).not.toContain('a-secret')
  })

  test('drops its secret after fifteen minutes without a touch, and not before', () => {
    const time = createTime()
    const vault = createVault(time)
    vault.open('a-secret')
    time.pass(899_999)
    expect(vault.getSnapshot().isOpen).toBe(true)
    time.pass(1)
    expect(vault.getSnapshot()).toEqual({ isOpen: false, reason: 'idle' })
    expect(vault.secret()).toBeNull()
  })

  test('starts the time again with every touch', () => {
    const time = createTime()
    const vault = createVault(time)
    vault.open('a-secret')
    for (let round = 0; round < 5; round++) {
      time.pass(600_000)
      vault.touch()
    }
    expect(vault.secret()).toBe('a-secret')
    time.pass(899_999)
    expect(vault.secret()).toBe('a-secret')
    time.pass(1)
    expect(vault.getSnapshot()).toEqual({ isOpen: false, reason: 'idle' })
  })

  test('gives nothing away after a sleep in which no timer ran, nor does a touch revive it', () => {
    const time = createTime()
    const asked = createVault(time)
    const touched = createVault(time)
    asked.open('a-secret')
    touched.open('a-secret')
    time.sleep(900_000)
    expect(asked.secret()).toBeNull()
    touched.touch()
    expect(touched.getSnapshot()).toEqual({ isOpen: false, reason: 'idle' })
  })

  test('is not kept open longer by a clock that was put back', () => {
    const time = createTime()
    const vault = createVault(time)
    vault.open('a-secret')
    time.sleep(-500_000)
    expect(vault.secret()).toBe('a-secret')
    time.sleep(900_000)
    expect(vault.secret()).toBeNull()
  })

  test('keeps what was made with a secret for as long as the secret, and no longer', () => {
    const vault = createVault(createTime())
    let made = 0
    const make = () => ({ number: ++made })
    vault.open('first')
    expect(vault.keep(make)).toBe(vault.keep(make))
    vault.lock('asked')
    vault.open('first')
    expect(vault.keep(make)).toEqual({ number: 2 })
    vault.open('second')
    expect(vault.keep(make)).toEqual({ number: 3 })
  })

  test('tells one opening from the next and leaves no timer behind when locked', () => {
    const time = createTime()
    const vault = createVault(time)
    vault.open('first')
    vault.open('second')
    expect(vault.getSnapshot()).toEqual({ isOpen: true, opening: 2 })
    expect(time.timers.size).toBe(1)
    vault.lock('refused')
    expect(time.timers.size).toBe(0)
  })
})
