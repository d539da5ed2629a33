/** Every number that is written twice: drawings against records, the module's constants against the codec's. */
import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import * as numbers from '@bourse/risk-rules/trading/numbers.ts'
import {
  closeLayout,
  fundingLayout,
  openLayout,
  specLayout,
  stateLayout,
  tickLayout,
  tierLayout,
  updateLayout,
} from '@bourse/risk-rules/trading/commands.ts'
import {
  closedTradeLayout,
  listHeadLayout,
  openTradeLayout,
  TRADING_KEPT_BYTES,
  updatedTradeLayout,
} from '@bourse/risk-rules/trading/outcomes.ts'
import { compile } from './assembly-kit.ts'

const sourceOf = (name: string): string =>
  readFileSync(new URL(`../assembly/trading/${name}.ts`, import.meta.url), 'utf8')

/** Lines `offset name type` of the drawing above a record. */
const drawingOf = (
  record: string,
): readonly { readonly offset: number; readonly name: string; readonly type: string }[] => {
  const [, drawing = ''] = new RegExp(`/\\*\\*\\n \\* ${record}:([^]*?)\\*/`).exec(sourceOf('layout')) ?? []
  const lines = [...drawing.matchAll(/^ \* +(\d+) (\w+)(?: (\w+))?$/gm)]
  return lines.map(([, offset, name, type]) => ({ offset: Number(offset), name: name!, type: type ?? '' }))
}

const typeBytes: Record<string, number> = { u32: 4, u64: 8, i64: 8 }
const records = ['Market', 'Trade', 'Stored'] as const
const fieldsOf = (record: string) => drawingOf(record).filter(({ name }) => name !== 'end')

describe('the layout of the trading module', () => {
  const offsets = compile<Record<string, () => number>>(
    [
      `import { ${records.join(', ')} } from '@assembly/trading/layout'`,
      ...records.flatMap((record) => [
        `export function ${record}_end(): u32 { return <u32>offsetof<${record}>() }`,
        ...fieldsOf(record).map(
          ({ name }) => `export function ${record}_${name}(): u32 { return <u32>offsetof<${record}>('${name}') }`,
        ),
      ]),
    ].join('\n'),
  )

  test.each(records)('%s is as drawn: each field at its offset, without holes', (record) => {
    const drawing = drawingOf(record)
    expect(drawing.length).toBeGreaterThan(13)
    const found = drawing.map(({ name }) => `${offsets[`${record}_${name}`]!()} ${name}`)
    expect(found).toEqual(drawing.map(({ offset, name }) => `${offset} ${name}`))
    drawing.slice(1).forEach(({ offset }, index) => {
      const before = drawing[index]!
      expect(`${before.name} ends at ${before.offset + typeBytes[before.type]!}`).toBe(
        `${before.name} ends at ${offset}`,
      )
    })
  })

  test('the spec’s fields lie in the market as in the command', () => {
    const at = fieldsOf('Market').find(({ name }) => name === 'tickSize')!.offset
    const drawn = new Map(fieldsOf('Market').map(({ name, offset }) => [name, offset - at]))
    const renamed: Record<string, string> = { state: 'specState', capacity: 'specCapacity' }
    for (const [name, offset] of Object.entries(specLayout.offsets)) {
      expect(`${name} ${drawn.get(renamed[name] ?? name)}`).toBe(`${name} ${offset}`)
    }
  })

  /** `export const NAME: type = value` of a source; other constants may be used in the value. */
  const constantsOf = (source: string): Map<string, bigint> =>
    new Map(
      [...source.matchAll(/^export const (\w+): \w+ = ([\d_]+)$/gm)].map(([, name, value]) => [
        name!,
        BigInt(value!.replaceAll('_', '')),
      ]),
    )

  test('bodies have the sizes of the codec', () => {
    const constants = constantsOf(sourceOf('layout'))
    const sizes = {
      OPEN_BODY_BYTES: openLayout.bytes,
      CLOSE_BODY_BYTES: closeLayout.bytes,
      UPDATE_BODY_BYTES: updateLayout.bytes,
      TICK_BODY_BYTES: tickLayout.bytes,
      FUNDING_BODY_BYTES: fundingLayout.bytes,
      STATE_BODY_BYTES: stateLayout.bytes,
      OPEN_TRADE_BYTES: openTradeLayout.bytes,
      CLOSED_TRADE_BYTES: closedTradeLayout.bytes,
      UPDATED_TRADE_BYTES: updatedTradeLayout.bytes,
      LIST_HEAD_BYTES: listHeadLayout.bytes,
      KEPT_BYTES: TRADING_KEPT_BYTES,
      SPEC_BYTES: specLayout.bytes,
      TIER_BYTES: tierLayout.bytes,
    }
    expect(Object.fromEntries(Object.keys(sizes).map((name) => [name, Number(constants.get(name))]))).toEqual(sizes)
  })

  test('codes, kinds, states, reasons and limits are those of everybody else', () => {
    const constants = constantsOf(sourceOf('codes'))
    const limits: Record<string, bigint | number> = {
      BPS_MAX: numbers.BPS_MAX_UNITS,
      RATE_ONE: numbers.RATE_ONE,
      PRICE_MAX: numbers.PRICE_MAX_UNITS,
      TICK_SIZE_MAX: numbers.TICK_SIZE_MAX_UNITS,
      QUANTITY_MAX: numbers.QUANTITY_MAX_UNITS,
      NOTIONAL_MAX: numbers.NOTIONAL_MAX_UNITS,
      FUNDING_MAX: numbers.FUNDING_MAX_UNITS,
      LIQUIDATION_PRICE_MAX: numbers.LIQUIDATION_PRICE_MAX_UNITS,
      TIME_MAX: numbers.TIME_MAX_MS,
      LEVERAGE_MAX: numbers.LEVERAGE_MAX,
      TIERS_MAX: numbers.TIERS_MAX,
      TIER_TABLES_MAX: numbers.TIER_TABLES_MAX,
      CLOSES_MAX: numbers.CLOSES_MAX,
      QUERY_PAGE_MAX: numbers.QUERY_PAGE_MAX,
      TRADES_MAX: numbers.TRADES_MAX,
      STATE_REDUCE_ONLY: numbers.marketStates.ReduceOnly,
      STATE_HALTED: numbers.marketStates.Halted,
      ...numbers.directions,
      ...Object.fromEntries(Object.entries(numbers.closeReasons).map(([name, value]) => [`REASON_${name}`, value])),
      ...Object.fromEntries(
        Object.entries(numbers.tradingKinds).map(([name, value]) => [`KIND_${name.toUpperCase()}`, value]),
      ),
    }
    for (const [name, value] of constants) {
      if (name === 'VALUE_MAX_ROOT') expect(value * value).toBe(numbers.VALUE_MAX)
      else
        expect(`${name} ${value}`).toBe(`${name} ${limits[name] ?? (refusalNumbers as Record<string, number>)[name]}`)
    }
    expect(constants.size).toBeGreaterThan(40)
  })
})
