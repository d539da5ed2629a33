import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { countdownOf, quoteDeadlineMs } from '../../src/bank/countdown.ts'
import { assetOf, deedWords, readDeed, type DeedForm } from '../../src/bank/deed-form.ts'
import { deskWords, explain, keyedWords } from '../../src/bank/desk-words.ts'
import { EVENT_PAGE, newestPageAfter, pageBefore, readEventRange } from '../../src/bank/event-pages.ts'
import { isInDoubt } from '../../src/bank/intent.ts'
import { keyAgeOf } from '../../src/bank/key-age.ts'
import { availableOf, useOfLimit } from '../../src/bank/limits.ts'
import { bankPages, pageAt, pathOf } from '../../src/bank/pages.ts'
import { customerIdFault, readSearch } from '../../src/bank/search.ts'
import { ownerWords, sideWords } from '../../src/bank/transaction-words.ts'

const pair = {
  symbol: 'AZNUSDT',
  baseAsset: 'USDT',
  quoteAsset: 'AZN',
  spreadBps: '150',
  minAmount: '1',
  maxAmount: '100000',
  tickSize: '0.0001',
  lotSize: '0.01',
}
const form: DeedForm = {
  kind: 'BUY',
  bankUserId: ' user_1 ',
  symbol: 'AZNUSDT',
  currency: 'AZN',
  amount: '100',
  reference: '',
}
const faultsOf = (change: Partial<DeedForm>) => {
  const read = readDeed({ ...form, ...change }, pair)
  return read.ok ? [] : Object.keys(read.faults)
}

describe('the life of a quote', () => {
  test('is counted from when it was asked for, and says 0 only at its end', () => {
    const deadline = quoteDeadlineMs(1_000, 10)
    expect(deadline).toBe(11_000)
    expect(countdownOf(deadline, 10_000, 1_000)).toEqual({ leftMs: 10_000, seconds: 10, isOver: false, percent: 100 })
    expect(countdownOf(deadline, 10_000, 10_999)).toEqual({ leftMs: 1, seconds: 1, isOver: false, percent: 0 })
    expect(countdownOf(deadline, 10_000, 11_000)).toEqual({ leftMs: 0, seconds: 0, isOver: true, percent: 0 })
    expect(countdownOf(deadline, 10_000, 99_000).isOver).toBe(true)
  })

  test('is never shown longer than the whole, even when the clock was put back', () => {
    expect(countdownOf(11_000, 10_000, -50_000)).toMatchObject({ leftMs: 10_000, percent: 100 })
  })
})

describe('a deed that is typed', () => {
  test('becomes what the API takes: trimmed, a decimal string, in the asset of its kind', () => {
    expect(readDeed(form, pair)).toEqual({
      ok: true,
      deed: { kind: 'BUY', bankUserId: 'user_1', amount: '100', currency: 'AZN', quoteId: null, reference: '' },
    })
    expect(assetOf({ kind: 'SELL', currency: 'AZN' }, pair)).toBe('USDT')
    expect(assetOf({ kind: 'DEPOSIT', currency: 'EUR' }, pair)).toBe('EUR')
    const deposit = readDeed({ ...form, kind: 'DEPOSIT', reference: ' wire 1 ' }, pair)
    expect(deposit).toMatchObject({ ok: true, deed: { reference: 'wire 1', currency: 'AZN' } })
  })

  test.each([
    [{ amount: '' }, ['amount']],
    [{ amount: '0' }, ['amount']],
    [{ amount: '-5' }, ['amount']],
    [{ amount: '0.99' }, ['amount']],
    [{ amount: '100000.01' }, ['amount']],
    [{ amount: '10.001' }, ['amount']],
    [{ kind: 'SELL', amount: '10.005' }, ['amount']],
    [{ kind: 'SELL', amount: '10.05' }, []],
    [{ kind: 'SELL', amount: '200000' }, []],
    [{ bankUserId: ' ' }, ['bankUserId']],
    [{ bankUserId: 'x'.repeat(129) }, ['bankUserId']],
    [{ kind: 'DEPOSIT' }, ['reference']],
    [{ kind: 'WITHDRAWAL', reference: 'r', amount: 'abc', bankUserId: '' }, ['amount', 'bankUserId']],
  ] as const)('with %o has these faults: %o', (change, faults) => {
    expect(faultsOf(change as Partial<DeedForm>)).toEqual([...faults])
  })

  test('is bounded by no highest amount where the pair has none', () => {
    expect(readDeed({ ...form, amount: '999999999' }, { ...pair, maxAmount: '0' }).ok).toBe(true)
  })

  test('says on its button what it does', () => {
    const read = readDeed(form, pair)
    expect(read.ok ? deedWords(read.deed, pair) : '').toMatch(/^Buy USDT for 100[.,]00\u00a0AZN for user_1$/)
  })
})

describe('limits', () => {
  test('say what is left exactly, and 100 percent only when nothing is', () => {
    expect(useOfLimit('0', '10000000')).toEqual({ left: '10000000', percent: 0, tone: 'good' })
    expect(useOfLimit('0.01', '10000000')).toMatchObject({ left: '9999999.99', percent: 1 })
    expect(useOfLimit('8000', '10000')).toMatchObject({ left: '2000', percent: 80, tone: 'warn' })
    expect(useOfLimit('10000', '10000')).toMatchObject({ left: '0', percent: 100, tone: 'danger' })
    expect(useOfLimit('12000', '10000')).toMatchObject({ left: '0', percent: 100, tone: 'danger' })
    expect(useOfLimit('5', null)).toBeNull()
    expect(useOfLimit('0', '0')).toMatchObject({ percent: 100, tone: 'danger' })
  })

  test('leave the locked part of a balance out of what is available', () => {
    expect(availableOf({ balance: '4900.00', lockedBalance: '100.01' })).toBe('4799.99')
  })
})

describe('the age of a key', () => {
  const key = { createdAt: '2026-01-01T00:00:00Z', expiresAt: null, ageDays: 10, rotateAfterDays: 90 }
  const now = Date.parse('2026-03-01T00:00:00Z')
  test.each([
    [10, 'good', 'due in 80 days'],
    [75, 'good', 'due in 15 days'],
    [76, 'warn', 'due in 14 days'],
    [89, 'warn', 'due in 1 day'],
    [90, 'warn', 'due today'],
    [91, 'danger', 'overdue by 1 day'],
  ] as const)('of %i days is %s: %s', (ageDays, tone, words) => {
    const age = keyAgeOf({ ...key, ageDays }, now)
    expect(age.tone).toBe(tone)
    expect(`${age.title} ${age.what}`).toContain(words)
  })

  test('speaks of an end that is set before all else, and invents no age', () => {
    expect(keyAgeOf({ ...key, expiresAt: '2026-03-01T20:00:00Z' }, now)).toMatchObject({ tone: 'danger' })
    expect(keyAgeOf({ ...key, expiresAt: '2026-03-05T00:00:00Z' }, now)).toMatchObject({ tone: 'warn' })
    expect(keyAgeOf({ ...key, ageDays: null }, now)).toMatchObject({ tone: 'info', title: 'Age unknown' })
  })
})

describe('the search of transactions', () => {
  const hex = '0123456789abcdef0123456789abcdef'
  test('tells ids from keys by their form, whatever surrounds them', () => {
    expect(readSearch(` tx_${hex} `)).toEqual({ kind: 'transaction', id: `tx_${hex}` })
    expect(readSearch('0E15BE4D-e5b9-49e9-9a20-615308cf0ba0')).toEqual({
      kind: 'key',
      key: '0e15be4d-e5b9-49e9-9a20-615308cf0ba0',
    })
    for (const text of ['', 'tx_123', hex, `q_${hex}`]) expect(readSearch(text).kind).toBe('fault')
  })

  test('takes any printable id of a customer', () => {
    expect(customerIdFault('Müller 7/ü')).toBeNull()
    expect(customerIdFault('a\u0000b')).not.toBeNull()
  })
})

describe('events', () => {
  test('are sent again one or as a range of at most 100', () => {
    expect(readEventRange(' 7 ', '')).toEqual({ ok: true, range: { from: 7, to: 7 } })
    expect(readEventRange('1', '100')).toEqual({ ok: true, range: { from: 1, to: 100 } })
    for (const [from, to] of [
      ['1', '101'],
      ['0', ''],
      ['5', '4'],
      ['x', ''],
      ['1', '1.5'],
      ['99999999999999999', ''],
    ])
      expect(readEventRange(from!, to!).ok).toBe(false)
  })

  test('are shown from the newest page, found with few questions however many there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 200_000 }), async (count) => {
        let asked = 0
        const after = await newestPageAfter(async (from, limit) => {
          asked += 1
          return Math.min(limit, Math.max(0, count - from))
        })
        expect(after).toBe(Math.max(0, count - EVENT_PAGE))
        expect(asked).toBeLessThanOrEqual(30)
      }),
    )
  })

  test('have an older page down to the first', () => {
    expect(pageBefore(120)).toBe(70)
    expect(pageBefore(20)).toBe(0)
  })
})

describe('the desk', () => {
  test('finds each of its pages at its path, and nothing elsewhere', () => {
    for (const page of bankPages) {
      expect(pageAt(pathOf(page))).toBe(page)
      expect(pageAt(`${pathOf(page)}/`)).toBe(page)
    }
    expect(pageAt('/bank/overview')).toBeNull()
    expect(pageAt('/bank/nothing')).toBeNull()
  })

  test('has words for every refusal, and never tells a bank’s staff about margin or signing in', () => {
    for (const code of [...Object.keys(refusalNumbers), 'UNREACHABLE', 'UNREADABLE']) {
      const { title, what, remedy } = deskWords(code, { message: 'said' })
      expect([title, what, remedy].every((words) => words.length > 3)).toBe(true)
    }
    for (const code of ['UNAUTHENTICATED', 'INSUFFICIENT_FUNDS', 'LIMIT_EXCEEDED'])
      expect(deskWords(code, { message: 'said' }).remedy).not.toMatch(/margin|leverage|sign in/i)
  })

  test('names the key as the way out of doubt exactly where what had a key is in doubt', () => {
    const codes = [...Object.keys(refusalNumbers), 'UNREACHABLE', 'UNREADABLE', 'CONSOLE_FAULT']
    const named = codes.filter((code) => keyedWords(code).remedy.startsWith('Ask again with the same key'))
    expect(named).toEqual(codes.filter(isInDoubt))
    expect(explain(new BourseRefusal({ status: 0, code: 'UNREACHABLE', message: 'x' })).words).toMatchObject({
      what: 'The platform did not answer.',
      remedy: 'Check the connection, then try again.',
    })
  })

  test('says of a transaction that moved nothing that it would have', () => {
    expect(sideWords({ type: 'BUY', status: 'FAILED' }).in).toBe('Would have paid')
    expect(sideWords({ type: 'BUY', status: 'COMPLETED' }).out).toBe('Customer got')
    expect(sideWords({ type: 'DEPOSIT', status: 'COMPLETED' }).in).toBe('Paid in')
    expect(ownerWords('omnibus:demo:AZN')).toBe('Omnibus of the system')
    expect(ownerWords('customer:demo:user_1:AZN')).toBe('Customer')
    expect(ownerWords('constructor:x')).toBe('constructor:x')
  })
})
