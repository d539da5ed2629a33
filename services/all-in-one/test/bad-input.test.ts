import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { API_KEY } from './support/bourse.ts'
import { call, newKey, type Answer } from './support/calls.ts'
import { bankClient } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { expectRefusal } from './support/refusal.ts'
import { CUSTOMER, moneyOf, recordsAtRest, recordsOf, startWorld, type World } from './support/world.ts'

/** What is sent, and the refusal it must get: status and code, and what its message must say (value and remedy). */
type Case = readonly [what: string, sent: string, refusal: string, message: RegExp]

/** A CREATE_TRADE with one field replaced, as the text a client would send. */
const opening = (field: string, text: string | null): string => {
  const fields: Record<string, string> = {
    command: '"CREATE_TRADE"',
    asset: '"BTC_USDC"',
    direction: '"LONG"',
    margin: '"100"',
    leverage: '10',
  }
  if (text === null) delete fields[field]
  else fields[field] = text
  return `{${Object.entries(fields)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',')}}`
}

/** A buy with one field replaced. */
const buying = (field: string, text: string | null): string => {
  const fields: Record<string, string> = { bankUserId: `"${CUSTOMER}"`, amount: '"10.00"', currency: '"AZN"' }
  if (text === null) delete fields[field]
  else fields[field] = text
  return `{${Object.entries(fields)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',')}}`
}

const INVALID = '400 VALIDATION_ERROR'

/** Texts that are no amount wherever an amount belongs. */
const noAmounts = (field: string, of: (field: string, text: string) => string): Case[] => [
  [`${field} 1e400`, of(field, '1e400'), INVALID, /1e400.*(out of range|too large|use at most|at most)/],
  [`${field} -1e400`, of(field, '-1e400'), INVALID, /-1e400/],
  [
    `${field} of 21 digits`,
    of(field, '"123456789012345678901"'),
    INVALID,
    /'123456789012345678901' is too large.*at most 20 digits/,
  ],
  [
    `${field} of 21 digits as a number`,
    of(field, '123456789012345678901'),
    INVALID,
    /123456789012345678901.*20 digits/,
  ],
  [
    `${field} with 9 decimals`,
    of(field, '"0.123456789"'),
    INVALID,
    /'0.123456789' has more than 8 decimals; send at most 8/,
  ],
  [`${field} with 9 decimals as a number`, of(field, '0.123456789'), INVALID, /0.123456789.*at most 8/],
  [`${field} negative`, of(field, '"-5"'), INVALID, /-5.*must be more than zero/],
  [`${field} zero`, of(field, '0'), INVALID, /0.*must be more than zero/],
  [`${field} minus zero`, of(field, '-0.0'), INVALID, /must be more than zero/],
  [`${field} as words`, of(field, '"ten"'), INVALID, /'ten' is not a decimal number such as "100.00"/],
  [`${field} as "NaN"`, of(field, '"NaN"'), INVALID, /'NaN' is not a decimal number/],
  [`${field} as "Infinity"`, of(field, '"Infinity"'), INVALID, /'Infinity' is not a decimal number/],
  [`${field} as "1e3"`, of(field, '"1e3"'), INVALID, /'1e3' is not a decimal number/],
  [`${field} as hexadecimal`, of(field, '"0x10"'), INVALID, /'0x10' is not a decimal number/],
  [`${field} NaN`, of(field, 'NaN'), INVALID, /JSON/],
  [`${field} true`, of(field, 'true'), INVALID, /true.*string, number/],
  [`${field} a list`, of(field, '[1]'), INVALID, /\[1\].*string, number/],
  [`${field} an object`, of(field, '{}'), INVALID, /\{\}.*string, number/],
  [`no ${field}`, of(field, null as never), INVALID, new RegExp(`${field} is missing.*send it`)],
]

const noJson: Case[] = [
  ['an object that does not end', '{"command":', INVALID, /JSON/],
  ['words', 'hello', INVALID, /JSON/],
  ['nothing', '', INVALID, /empty; send a JSON object/],
  ['a list', '[]', INVALID, /object/],
  ['null', 'null', INVALID, /object/],
  ['a number', '5', INVALID, /object/],
  ['two documents', '{}{}', INVALID, /JSON/],
  ['depths', '['.repeat(1_000) + ']'.repeat(1_000), INVALID, /deep|nest/],
]

describe('bad input', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld()
  }, LIMIT_MS)
  afterAll(() => world.stop())

  /** Sends all, expects each refused, and then that nothing at all was journaled or moved. */
  const expectNoTrace = async (cases: readonly Case[], send: (text: string) => Promise<Answer>): Promise<void> => {
    const before = [await moneyOf(world), await recordsAtRest(world)]
    for (const [what, sent, refusal, message] of cases) {
      try {
        expectRefusal(await send(sent), refusal, message)
      } catch (error) {
        throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    }
    expect([await moneyOf(world), await recordsOf(world)]).toEqual(before)
  }

  const sendBuy = (text: string): Promise<Answer> =>
    call(`${world.bourse.url}/api/v1/trade/buy`, {
      raw: text,
      headers: { 'x-api-key': API_KEY, 'x-idempotency-key': newKey() },
    })

  test(
    'what is no JSON is refused by both APIs, and leaves no trace',
    async () => {
      await expectNoTrace(noJson, (text) => world.trader.raw(text, newKey()))
      await expectNoTrace(noJson, sendBuy)
    },
    LIMIT_MS,
  )

  test(
    'amounts that are none are refused at the door of CREATE_TRADE',
    async () => {
      const trader = (text: string): Promise<Answer> => world.trader.raw(text, newKey())
      await expectNoTrace(noAmounts('margin', opening), trader)
      const optional = noAmounts('stopLossPrice', opening).filter(([what]) => !what.startsWith('no '))
      await expectNoTrace(optional, trader)
    },
    LIMIT_MS,
  )

  test(
    'amounts that are none are refused at the door of a buy',
    async () => {
      await expectNoTrace(noAmounts('amount', buying), sendBuy)
      expect((await bankClient(world.bourse.url).transactions()).filter(({ type }) => type !== 'DEPOSIT')).toEqual([])
    },
    LIMIT_MS,
  )
})
