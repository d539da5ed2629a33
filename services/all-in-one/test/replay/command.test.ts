import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { replay } from '@bourse/all-in-one/replay/replay.ts'
import type { ReplayArguments } from '@bourse/all-in-one/replay/replay.ts'
import { parseTrades } from '@bourse/all-in-one/replay/trade-file.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { bars, engines, fileOf, manifest, root, TRADE_HEADER } from './support.ts'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const command = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const file = join(root, 'services/all-in-one/src/commands/replay.ts')
    execFile(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

const ROW = 'gap,2024-01-01T00:57:00Z,LONG,10,20,,'

describe('The command', () => {
  test(
    'It prints tables and, with --json, the result as its last line; it writes the rows and exits 0.',
    async () => {
      const [tape, pair, trades] = [
        await fileOf('tape.csv', bars),
        await fileOf('pair.yaml', manifest()),
        await fileOf('trades.csv', `${TRADE_HEADER}\n${ROW}\n`),
      ]
      const out = join(dirname(tape), 'rows.csv')
      const ended = await command('--tape', tape, '--pair', pair, '--trades', trades, '--out', out, '--json')
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      expect(ended.stdout).toContain('WASM and reference: no difference')
      expect(JSON.parse(ended.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({
        ok: true,
        ticks: 20,
        trades: 1,
        byReason: { LIQUIDATION: 1 },
        differences: 0,
        stateHash: expect.stringMatching(/^[0-9a-f]{32}$/),
        ticksPerSecond: { wasm: expect.any(Number), reference: expect.any(Number) },
        money: { ok: true, balances: { clearing: '0' } },
      })
      expect((await readFile(out, 'utf8')).split('\n')[0]).toBe(
        'id,openAt,quantity,entryPrice,liquidationPrice,exitAt,exitPrice,reason,pnl,fees,funding,returned',
      )
    },
    LIMIT_MS,
  )

  test(
    'A bad row ends it with exit code 1 and one line that names file and line, without a stack.',
    async () => {
      const [tape, pair, trades] = [
        await fileOf('tape.csv', bars),
        await fileOf('pair.yaml', manifest()),
        await fileOf('trades.csv', `${TRADE_HEADER}\n${ROW}\n${ROW}\n`),
      ]
      const ended = await command('--tape', tape, '--pair', pair, '--trades', trades)
      expect(ended.code).toBe(1)
      expect(ended.stderr).toBe(`replay: ${trades}: line 3: id 'gap' is that of line 2 too; every trade has its own\n`)
    },
    LIMIT_MS,
  )
})

const refusalOf = async (options: Partial<ReplayArguments>): Promise<string> => {
  const files = { tape: await fileOf('tape.csv', bars), pair: await fileOf('pair.yaml', manifest()) }
  return replay({ ...files, json: false, ...options }, createSystemClock(), () => engines).then(
    () => 'nothing was refused',
    (error: Error) => `${error.name}: ${error.message}`,
  )
}

describe('Input that cannot be used', () => {
  test.each([
    ['two sources of trades', { trades: 'a.csv', random: 1, seed: 1 }, '--trades and --random exclude each other'],
    ['random trades without a seed', { random: 1 }, '--random and --seed go together'],
    ['a seed without random trades', { seed: 1 }, '--random and --seed go together'],
    ['a tape that is not there', { tape: 'none.csv' }, 'none.csv: ENOENT'],
    ['a trade file that is not there', { trades: 'none.csv' }, 'none.csv: ENOENT'],
    ['a manifest that is not there', { pair: 'none.yaml' }, 'ENOENT'],
    ['a manifest of a bank', { pair: join(root, 'crds/samples/bank-demo.yaml') }, 'has 0 trading pairs'],
    ['rows that have nowhere to go', { out: join('none', 'rows.csv') }, 'rows.csv: ENOENT'],
  ])('%s: refused with the reason.', async (_, options, message) => {
    const refusal = await refusalOf(options)
    expect(refusal).toMatch(/^ReplayInputError: /)
    expect(refusal).toContain(message)
  })

  test('A tape with a bad row is refused by file and line.', async () => {
    const tape = await fileOf('tape.csv', bars.replace('89.5', '-1'))
    expect(await refusalOf({ tape })).toMatch(/tape\.csv: line 6: low is -1/)
  })

  test.each([
    ['id', ',2024-01-01,LONG,10,20,,', 'id has 0 characters'],
    ['openAt', 'a,yesterday,LONG,10,20,,', "openAt 'yesterday' is not ISO 8601 or epoch ms"],
    ['direction', 'a,2024-01-01,UP,10,20,,', "direction 'UP' is neither LONG nor SHORT"],
    ['margin', 'a,2024-01-01,LONG,1e3,20,,', 'margin: '],
    ['margin of zero', 'a,2024-01-01,LONG,0,20,,', 'margin is 0'],
    ['margin with nine decimals', 'a,2024-01-01,LONG,1.000000001,20,,', 'margin: '],
    ['leverage of zero', 'a,2024-01-01,LONG,10,0,,', "leverage '0' is not a whole number"],
    ['leverage in halves', 'a,2024-01-01,LONG,10,1.5,,', "leverage '1.5' is not a whole number"],
    ['stopLoss', 'a,2024-01-01,LONG,10,2,-5,', 'stopLoss is -5'],
    ['number of fields', 'a,2024-01-01,LONG,10,2', 'line 2'],
  ])('A trade with a wrong %s is refused by its line.', (_, row, message) => {
    expect(() => parseTrades(`${TRADE_HEADER}\n${row}\n`)).toThrow(message)
    expect(() => parseTrades(`${TRADE_HEADER}\n${row}\n`)).toThrow(/line 2\b/)
  })

  test('A header without a column is refused by the column’s name.', () => {
    expect(() => parseTrades('id,openAt,direction,margin\n')).toThrow('the header lacks leverage, stopLoss, takeProfit')
  })

  test('Columns may come in any order and case, with others between them.', () => {
    const [trade] = parseTrades(
      'note,TAKEPROFIT,stoploss,LEVERAGE,Margin,direction,openat,ID\nx,110,,3,5,LONG,1704067200000,a\n',
    )
    expect(trade).toMatchObject({
      id: 'a',
      leverage: 3,
      margin: 500_000_000n,
      takeProfit: 11_000_000_000n,
      stopLoss: 0n,
    })
  })
})
