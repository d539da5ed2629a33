import { describe, expect, test } from '@jest/globals'
import { csvOf } from '@bourse/all-in-one/replay/rows.ts'
import { bars, manifest, run, specOfText, tapeOfText, tradesOf } from './support.ts'
import type { Run } from './support.ts'

const rowsOf = async (
  tradeRows: readonly string[],
  more: Partial<Run> & { readonly yaml?: string; readonly tapeText?: string } = {},
) => {
  const { yaml = manifest(), tapeText = bars, ...rest } = more
  const spec = await specOfText(yaml)
  const result = run({ spec, tape: await tapeOfText(tapeText, spec), trades: tradesOf(...tradeRows), ...rest })
  expect(result.difference).toBeNull()
  expect(result.money?.statements.filter(({ ok }) => !ok)).toEqual([])
  return { ...result, lines: csvOf(result.rows).trimEnd().split('\n').slice(1) }
}

describe('Rows of a replay, computed by hand', () => {
  test('A gap through the liquidation price leaves a deficit, returns nothing and takes no liquidation fee.', async () => {
    // 2 at 100 on a margin of 10; F = 104.8 × 10 bps = 0.1048 at 01:00; at 90: 10 − 20 − 0.2096 < 0. 1.99 X ≤
    // 190 → 95.47.
    const { lines, money } = await rowsOf(['gap,2024-01-01T00:57:00Z,LONG,10,20,,'])
    expect(lines).toEqual([
      'gap,2024-01-01T00:57:00.000Z,2,100,95.47,2024-01-01T01:00:30.000Z,90,LIQUIDATION,-20,0.2,0.2096,0',
    ])
    expect(money?.balances).toMatchObject({ house: '10', clearing: '0', fees: '0.2' })
  })

  test('The insurance refunds the house the deficit as far as it goes.', async () => {
    // The deficit is 20 + 0.2096 − 10.
    const enough = await rowsOf(['gap,2024-01-01T00:57:00Z,LONG,10,20,,'], { insuranceAtFirst: 5_000_000_000n })
    expect(enough.money?.balances).toMatchObject({ insurance: '39.7904', house: '-29.7904', clearing: '0' })
    const little = await rowsOf(['gap,2024-01-01T00:57:00Z,LONG,10,20,,'], { insuranceAtFirst: 300_000_000n })
    expect(little.money?.balances).toMatchObject({ insurance: '0', house: '10', clearing: '0' })
  })

  test('In a bar that rises the low comes before the high: a long is stopped where a short meets its target.', async () => {
    const { lines } = await rowsOf([
      'long,2024-01-01T00:57:01Z,LONG,50,2,96,108',
      `short,${Date.UTC(2024, 0, 1, 0, 57, 1)},short,50,2,111,95.8`,
    ])
    expect(lines).toEqual([
      'long,2024-01-01T00:57:15.000Z,1,100,50.25,2024-01-01T00:58:15.000Z,95.5,STOP_LOSS,-4.5,0.1955,0,45.4045',
      'short,2024-01-01T00:57:15.000Z,1,100,149.26,2024-01-01T00:58:15.000Z,95.5,TAKE_PROFIT,4.5,0.1955,0,54.4045',
    ])
  })

  test('In a bar that falls the high comes before the low: a long meets its target, not its stop.', async () => {
    const { lines } = await rowsOf(['long,2024-01-01T00:58:45Z,LONG,52.5,2,104.5,111'])
    expect(lines).toEqual([
      'long,2024-01-01T00:58:45.000Z,1,105,52.76,2024-01-01T00:59:15.000Z,112,TAKE_PROFIT,7,0.217,0,59.388',
    ])
  })

  test('Funding is paid by a long and received by a short, on the last price before its instant.', async () => {
    const { lines } = await rowsOf([
      'short,2024-01-01T00:59:45Z,SHORT,104.8,1,,100',
      'long,2024-01-01T00:59:45Z,LONG,104.8,1,95,',
    ])
    expect(lines).toEqual([
      'short,2024-01-01T00:59:45.000Z,1,104.8,208.56,2024-01-01T01:00:30.000Z,90,TAKE_PROFIT,14.8,0.1948,-0.1048,119.6148',
      'long,2024-01-01T00:59:45.000Z,1,104.8,,2024-01-01T01:00:30.000Z,90,STOP_LOSS,-14.8,0.1948,0.1048,89.8052',
    ])
  })

  test('A liquidation fee takes what is left and no more, and goes to the insurance.', async () => {
    // At 89.5: 1.82 − 1.5 = 0.32 is left; 89.5 × 50 bps = 0.4475 would be due.
    const { lines, money } = await rowsOf(['last,2024-01-01T01:00:45Z,LONG,1.82,50,,'])
    expect(lines).toEqual([
      'last,2024-01-01T01:00:45.000Z,1,91,89.62,2024-01-01T01:01:15.000Z,89.5,LIQUIDATION,-1.5,0.411,0,0',
    ])
    expect(money?.balances).toMatchObject({ insurance: '0.32', fees: '0.091', house: '1.5' })
  })

  test('A refused trade has its code, one still open has no exit, one that was never due only its id.', async () => {
    const { lines, money } = await rowsOf([
      'refused,2024-01-01T00:57:00Z,LONG,10,51,,',
      'wrong-side,2024-01-01T00:57:00Z,LONG,10,5,100,',
      'open,2024-01-01T01:00:10Z,SHORT,100,1,,',
      'late,2024-01-01T01:30:00Z,SHORT,100,1,,',
    ])
    expect(lines).toEqual([
      'refused,,,,,,,LEVERAGE_TOO_HIGH,,,,',
      'wrong-side,,,,,,,INVALID_STOP_LOSS,,,,',
      'open,2024-01-01T01:00:15.000Z,0.961,104,207.03,,,,,,,',
      'late,,,,,,,,,,,',
    ])
    expect(money?.openMargins).toBe('100')
  })
})

describe('Order and limits of a replay', () => {
  test('Trades due at the same tick open in the order of the file, whatever their moments.', async () => {
    const yaml = manifest({ limits: 'maxOpenTrades: 1' })
    const { lines } = await rowsOf(
      ['first,2024-01-01T00:57:14Z,LONG,100,1,,', 'second,2024-01-01T00:57:02Z,LONG,100,1,,'],
      { yaml },
    )
    expect(lines[0]).toMatch(/^first,2024-01-01T00:57:15.000Z,1,/)
    expect(lines[1]).toBe('second,,,,,,,TOO_MANY_TRADES,,,,')
  })

  test('A trade opens after its tick was applied: a close at that tick has made room for it.', async () => {
    const yaml = manifest({ limits: 'maxOpenTrades: 1' })
    const { lines } = await rowsOf(
      ['stopped,2024-01-01T00:57:00Z,LONG,100,1,96,', 'next,2024-01-01T00:58:15Z,LONG,100,1,,'],
      { yaml },
    )
    expect(lines[0]).toContain(',2024-01-01T00:58:15.000Z,95.5,STOP_LOSS,')
    expect(lines[1]).toMatch(/^next,2024-01-01T00:58:15.000Z,1.047,95.5,/)
  })

  test('An account has its partition’s share of the net notional of the market.', async () => {
    const limits = 'maxNetNotional: "400"'
    const trades = ['one,2024-01-01T00:57:00Z,LONG,100,1,,', 'two,2024-01-01T00:57:00Z,LONG,1,1,,']
    const shared = await rowsOf(trades, { yaml: manifest({ partitions: 4, limits }) })
    expect(shared.lines[1]).toBe('two,,,,,,,EXPOSURE_LIMIT,,,,')
    const whole = await rowsOf(trades, { yaml: manifest({ partitions: 1, limits }) })
    expect(whole.lines[1]).toMatch(/^two,2024-01-01T00:57:00.000Z,0.01,/)
  })

  test('A price beyond the jump limit reaches no engine until two more confirm it, and no trade opens on it.', async () => {
    const tapeText = `trade_id,price,qty,trade_time_ms,is_buyer_maker
1,100,1,1704067200000,true
2,50,1,1704067201000,true
3,100,1,1704067202000,true
4,50,1,1704067203000,true
5,50,1,1704067204000,true
6,50,1,1704067205000,true
`
    const { lines, ticksPlayed } = await rowsOf(['a,1704067200000,LONG,10,10,,', 'b,1704067201000,SHORT,10,1,,'], {
      tapeText,
    })
    expect(ticksPlayed).toBe(3)
    expect(lines[0]).toContain(',2024-01-01T00:00:05.000Z,50,LIQUIDATION,')
    expect(lines[1]).toMatch(/^b,2024-01-01T00:00:02.000Z,0.1,100,/)
  })
})
