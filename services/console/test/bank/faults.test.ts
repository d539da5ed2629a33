import { describe, expect, test } from '@jest/globals'
import {
  FAULT_KINDS as KINDS_OF_SIMULATORS,
  SLOW_MS_MAX as SLOW_OF_SIMULATORS,
} from '@bourse/common/simulator/faults.ts'
import { experiments, movedPrices } from '../../src/bank/experiments.ts'
import {
  FAULT_CALLS,
  FAULT_KINDS,
  faultWords,
  readFault,
  simulators,
  SLOW_MS_MAX,
  withFault,
  withoutFault,
  type Fault,
} from '../../src/bank/faults.ts'
import { createLogTail, summaryOf, TAIL_MAX } from '../../src/bank/log-tail.ts'
import type { SimulatorCall } from '../../src/bank/shapes.ts'

const form = { on: 'order', kind: 'reject', count: '1', ms: '' } as const

describe('a fault that is typed', () => {
  test('has the kinds and the longest delay of the simulators themselves', () => {
    expect(Object.keys(FAULT_KINDS)).toEqual([...KINDS_OF_SIMULATORS])
    expect(SLOW_MS_MAX).toBe(SLOW_OF_SIMULATORS)
  })

  test('carries a count only when one was given, and a delay only when it is slow', () => {
    expect(readFault('exchange', form)).toEqual({ ok: true, fault: { on: 'order', kind: 'reject', count: 1 } })
    expect(readFault('exchange', { ...form, count: ' ', ms: '50' })).toEqual({
      ok: true,
      fault: { on: 'order', kind: 'reject' },
    })
    expect(readFault('bank', { on: 'webhook', kind: 'slow', count: '2', ms: '3000' })).toEqual({
      ok: true,
      fault: { on: 'webhook', kind: 'slow', count: 2, ms: 3_000 },
    })
  })

  test.each([
    ['exchange', { ...form, on: 'authorization' }, 'on'],
    ['bank', form, 'on'],
    ['exchange', { ...form, on: 'toString' }, 'on'],
    ['exchange', { ...form, count: '0' }, 'count'],
    ['exchange', { ...form, count: '1.5' }, 'count'],
    ['exchange', { ...form, count: '1000000001' }, 'count'],
    ['exchange', { ...form, kind: 'slow' }, 'ms'],
    ['exchange', { ...form, kind: 'slow', ms: '600001' }, 'ms'],
  ] as const)('at the %s is refused for %o, naming the field', (simulator, typed, field) => {
    expect(readFault(simulator, typed)).toMatchObject({ ok: false, field })
  })

  test('comes before the others, since the first that matches is played, and goes by its place', () => {
    const old: Fault = { on: 'order', kind: 'error' }
    const added = withFault([old], { on: 'order', kind: 'drop', count: 1 })
    expect(added.map(({ kind }) => kind)).toEqual(['drop', 'error'])
    expect(withoutFault(added, 0)).toEqual([old])
  })

  test('is said in words with how often', () => {
    expect(faultWords('exchange', { on: 'order', kind: 'reject', count: 1 })).toContain('the next time')
    expect(faultWords('bank', { on: 'webhook', kind: 'slow', ms: 200 })).toContain(
      'until removed: it does it at once, answers late (200 ms)',
    )
  })
})

describe('the experiments', () => {
  test('are faults that their simulator knows, each with another name', () => {
    expect(new Set(experiments.map(({ name }) => name)).size).toBe(experiments.length)
    for (const { simulator, faults } of experiments) {
      for (const { on, kind, count } of faults)
        expect(readFault(simulator, { on, kind, count: String(count ?? ''), ms: '' }).ok).toBe(true)
    }
    expect(simulators.every((simulator) => Object.keys(FAULT_CALLS[simulator]).length === 3)).toBe(true)
  })

  test('end by themselves: each fault counts down, or a price is what moves', () => {
    for (const { faults, pricePercent } of experiments) {
      expect(faults.length + pricePercent).toBeGreaterThan(0)
      expect(faults.every(({ count }) => count !== undefined)).toBe(true)
    }
  })

  test('move prices exactly', () => {
    expect(movedPrices({ AZNUSDT: '1.7050', X: '0.00000001' }, 5)).toEqual({ AZNUSDT: '1.79025', X: '0.00000001' })
  })
})

/** A log that grows, and how often it was asked. */
const createLog = () => {
  const calls: SimulatorCall[] = []
  let asked = 0
  return {
    grow: (count: number) => {
      for (let index = 0; index < count; index++)
        calls.push({ seq: calls.length + 1, at: 0, method: 'GET', path: '/ticker', body: null, answer: null })
    },
    log: async (after: number, limit: number) => {
      asked += 1
      return calls.slice(after, after + limit)
    },
    asked: () => asked,
  }
}

describe('the end of a log', () => {
  test('starts at the newest calls and then follows without a gap or a call twice', async () => {
    const source = createLog()
    source.grow(10_000)
    const tail = createLogTail(source.log)
    const first = await tail.read()
    expect(first[0]?.seq).toBe(10_000)
    expect(source.asked()).toBeLessThan(40)
    source.grow(30)
    const second = await tail.read()
    expect(second.map(({ seq }) => seq)).toEqual(Array.from({ length: second.length }, (_, index) => 10_030 - index))
    expect(second.length).toBeGreaterThanOrEqual(80)
    source.grow(900)
    expect((await tail.read()).length).toBe(TAIL_MAX)
    expect((await tail.read())[0]?.seq).toBe(10_930)
  })

  test('of a log without calls shows none, and those that come later', async () => {
    const source = createLog()
    const tail = createLogTail(source.log)
    expect(await tail.read()).toEqual([])
    source.grow(2)
    expect((await tail.read()).map(({ seq }) => seq)).toEqual([2, 1])
  })

  test('shows bodies on one line of bounded length', () => {
    expect(summaryOf(null)).toBe('none')
    expect(summaryOf({ a: 1 })).toBe('{"a":1}')
    expect(summaryOf('x'.repeat(500)).length).toBeLessThanOrEqual(90)
  })
})
