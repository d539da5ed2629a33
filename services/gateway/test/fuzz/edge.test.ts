import { describe, expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import type { IncomingMessage } from 'node:http'
import type { BankStatement } from '@bourse/bridge/client/types.ts'
import { parseJson } from '@bourse/common/json/parse.ts'
import { AMOUNT_MAX_UNITS, formatAmount } from '@bourse/common/money/amount.ts'
import { fuzzed, readOnce, textMutationsOf } from '@bourse/common/testkit/fuzz.ts'
import { parseMoment, statementCsv, statementFields, statementRange } from '../../src/bank/statement.ts'
import { addressSetOf, clientAddressOf } from '../../src/http/address.ts'
import { ApiError } from '../../src/http/api-error.ts'
import { decodeCursor, encodeCursor } from '../../src/http/cursor.ts'
import { fieldsOf } from '../../src/http/fields.ts'
import { requestHashOf } from '@bourse/common/platform/client-identity.ts'
import { channelOf, createMessageReader } from '../../src/stream/messages.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 40 })

describe('a cursor', () => {
  const ends = fc.record({ sortValue: anyText, id: anyText })

  test('is read as it was made, in its own list only', () => {
    fc.assert(
      fc.property(anyText, anyText, ends, (scope, other, end) => {
        const cursor = encodeCursor(scope, end)
        expect(cursor).toMatch(/^[A-Za-z0-9_-]*$/)
        expect(decodeCursor(scope, cursor)).toEqual(end)
        if (other !== scope) expect(() => decodeCursor(other, cursor)).toThrow(ApiError)
      }),
      fuzzed(),
    )
  })

  test('that is none is refused VALIDATION_ERROR', () => {
    const cursors = fc.tuple(anyText, ends).map(([scope, end]) => encodeCursor(scope, end))
    const forged = fc.json().map((text) => Buffer.from(text).toString('base64url'))
    fc.assert(
      fc.property(fc.oneof(textMutationsOf(cursors), forged, anyText), (cursor) => {
        const read = readOnce(() => decodeCursor('trades:x', cursor), [ApiError])
        if ('error' in read) expect((read.error as ApiError).code).toBe('VALIDATION_ERROR')
        else expect([typeof read.value.sortValue, typeof read.value.id]).toEqual(['string', 'string'])
      }),
      fuzzed(),
    )
  })
})

const amounts = fc.bigInt({ min: -AMOUNT_MAX_UNITS, max: AMOUNT_MAX_UNITS }).map((units) => formatAmount(units))
const moments = fc.integer({ min: 0, max: 4_102_444_800_000 })
const currencies = fc.constantFrom('AZN', 'USDT')
const statements: fc.Arbitrary<BankStatement> = fc.record({
  fromMs: moments,
  toMs: moments,
  asOfMs: moments,
  opening: fc.array(fc.record({ currency: currencies, balance: amounts }), { maxLength: 2 }),
  closing: fc.array(fc.record({ currency: currencies, balance: amounts }), { maxLength: 2 }),
  spreadEarned: fc.array(fc.record({ currency: currencies, amount: amounts }), { maxLength: 2 }),
  entries: fc.array(
    fc.record({
      id: anyText,
      transactionId: anyText,
      accountId: anyText,
      currency: currencies,
      amount: amounts,
      balanceAfter: amounts,
      bankUserId: fc.oneof(anyText, fc.constantFrom('=1+1', '+x', '-x', '@x', '"', 'a,b', 'a\r\nb', "'x")),
      type: fc.constantFrom('BUY' as const, 'DEPOSIT' as const),
      atMs: moments,
    }),
    { maxLength: 4 },
  ),
})

describe('a statement as CSV', () => {
  test('says what the JSON says, and no cell of a bank’s text begins as a formula', () => {
    fc.assert(
      fc.property(statements, (statement) => {
        const rows = parse<Record<string, string>>(statementCsv(statement), {
          columns: true,
          record_delimiter: '\r\n',
        })
        const { opening, closing, spreadEarned, entries } = statementFields(statement)
        expect(rows).toHaveLength(opening.length + closing.length + spreadEarned.length + entries.length)
        const listed = rows.filter(({ record }) => record === 'entry')
        entries.forEach((entry, index) => {
          const row = listed[index]!
          const isFormula = /^[=+\-@\t\r]/.test(entry.bankUserId)
          expect(row['bankUserId']).toBe(isFormula ? `'${entry.bankUserId}` : entry.bankUserId)
          expect([row['id'], row['amount'], row['balanceAfter']]).toEqual([entry.id, entry.amount, entry.balanceAfter])
        })
      }),
      fuzzed(),
    )
  })

  test('moments and ranges of any text are refused VALIDATION_ERROR, or are moments a statement can write', () => {
    const iso = moments.map((atMs) => new Date(atMs).toISOString())
    const strange = fc.oneof(
      textMutationsOf(iso),
      anyText,
      fc.stringMatching(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/),
      fc.stringMatching(/^\d{10,14}$/),
      // Found: the zone takes these out of the years that RFC 3339 writes.
      fc.constantFrom('9999-12-31T23:59:59-23:59', '0000-01-01T00:00:00+23:59', '9999-12-31', '0000-01-01'),
    )
    fc.assert(
      fc.property(moments, strange, strange, (atMs, from, to) => {
        expect(parseMoment('from', new Date(atMs).toISOString())).toBe(atMs)
        const read = readOnce(() => statementRange(from, to, atMs), [ApiError])
        if ('error' in read) return
        for (const moment of [read.value.fromMs, read.value.toMs]) {
          // As `date-time` of RFC 3339 has it: four digits of a year.
          expect(new Date(moment).toISOString()).toMatch(/^\d{4}-/)
        }
      }),
      fuzzed(2),
    )
  })
})

describe('messages of a web socket', () => {
  const read = createMessageReader()
  const messages = fc.oneof(
    fc.record(
      {
        op: fc.constant('subscribe' as const),
        channels: fc.array(fc.string({ maxLength: 64 }), { minLength: 1, maxLength: 5 }),
        after: fc.record({ trades: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
      },
      { requiredKeys: ['op', 'channels'] },
    ),
    fc.record({
      op: fc.constant('unsubscribe' as const),
      channels: fc.array(fc.string({ maxLength: 64 }), { minLength: 1, maxLength: 5 }),
    }),
    fc.constant({ op: 'ping' as const }),
  )

  test('are read as they were written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(read(JSON.stringify(message))).toEqual(message)
      }),
      fuzzed(),
    )
  })

  test('of any other text are refused VALIDATION_ERROR in words, never with an error', () => {
    const strange = fc.oneof(
      textMutationsOf(messages.map((message) => JSON.stringify(message))),
      fc.json(),
      anyText,
      fc
        .record({
          op: fc.constantFrom('subscribe', 'ping', '__proto__', ''),
          channels: fc.jsonValue(),
          after: fc.jsonValue(),
        })
        .map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(strange, (text) => {
        const answer = readOnce(() => read(text), [])
        if ('error' in answer) return
        if ('op' in answer.value) {
          if (answer.value.op !== 'ping') for (const name of answer.value.channels) channelOf(name)
          return
        }
        expect(answer.value.errorCode).toBe('VALIDATION_ERROR')
        expect(answer.value.message.length).toBeLessThan(2_000)
      }),
      fuzzed(),
    )
  })
})

describe('fields, headers and identities', () => {
  test('amounts and counts of any JSON are refused VALIDATION_ERROR or are above zero', () => {
    const bodies = fc.oneof(
      fc.record({ a: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc
        .stringMatching(/^-?\d{1,40}(\.\d{1,20})?([eE][+-]?\d{1,4})?$/)
        .map((number) => `{"a":${number.replace(/^(-?)0+(?=\d)/, '$1')}}`),
    )
    fc.assert(
      fc.property(bodies, (text) => {
        const fields = fieldsOf(parseJson(text))
        for (const take of [
          () => fields.amount('a'),
          () => fields.count('a'),
          () => fields.optionalAmount('a') ?? 1n,
        ]) {
          const taken = readOnce<bigint | number>(take, [ApiError])
          if ('error' in taken) expect((taken.error as ApiError).code).toBe('VALIDATION_ERROR')
          else expect(taken.value > 0).toBe(true)
        }
      }),
      fuzzed(),
    )
  })

  test('x-forwarded-for of any text names the peer or a proper address', () => {
    const addressOf = clientAddressOf(addressSetOf(['127.0.0.0/8', '::1', '10.0.0.0/8']))
    const hops = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4Extended(),
      anyText,
      fc.constantFrom('', 'unknown', '::ffff:10.0.0.1', '127.1'),
    )
    const headers = fc.oneof(
      fc.array(hops, { maxLength: 5 }).map((list) => list.join(',')),
      fc.array(hops, { maxLength: 3 }),
      anyText,
    )
    fc.assert(
      fc.property(fc.constantFrom('127.0.0.1', '::1', '203.0.113.9', undefined), headers, (remoteAddress, header) => {
        const request = {
          socket: { remoteAddress },
          headers: { 'x-forwarded-for': header },
        } as unknown as IncomingMessage
        const address = readOnce(() => addressOf(request), [])
        if ('error' in address) return
        if (remoteAddress === '203.0.113.9') expect(address.value).toBe(remoteAddress)
        expect(address.value === 'unknown' || /^[0-9a-f.:]+$/i.test(address.value)).toBe(true)
      }),
      fuzzed(),
    )
  })

  test('a request’s hash tells fields apart by name, type and value, in any order', () => {
    const values = fc.oneof(anyText, fc.integer(), fc.bigInt(), fc.constant(null))
    const records = fc.dictionary(
      anyText.filter((name) => name !== '__proto__'),
      values,
      { maxKeys: 4, noNullPrototype: true },
    )
    const canonical = (fields: Readonly<Record<string, string | number | bigint | null>>): string =>
      JSON.stringify(
        Object.keys(fields)
          .sort()
          .map((name) => [name, fields[name] === null ? 'null' : typeof fields[name], String(fields[name])]),
      )
    fc.assert(
      fc.property(records, records, (one, other) => {
        const hash = (fields: typeof one) => Buffer.from(requestHashOf('POST', '/x', fields)).toString('hex')
        expect(hash(Object.fromEntries(Object.entries(one).reverse()))).toBe(hash(one))
        expect(hash(one) === hash(other)).toBe(canonical(one) === canonical(other))
      }),
      fuzzed(),
    )
  })
})
