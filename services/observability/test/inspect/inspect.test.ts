import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { newKey, until, type Answer } from '../../../all-in-one/test/support/calls.ts'
import {
  adminClient,
  bankClient,
  dataOf,
  engineData,
  type TradeBody,
} from '../../../all-in-one/test/support/clients.ts'
import { insist } from '../../../all-in-one/test/support/load.ts'
import { CUSTOMER, startWorld, type World } from '../../../all-in-one/test/support/world.ts'
import { dataFolderAt } from '@bourse/all-in-one/platform/data-folder.ts'
import { inRoot } from '../../../common/tooling/paths.mjs'

const LIMIT_MS = 600_000
// Each command is a process of its own.
jest.setTimeout(LIMIT_MS)

interface Said {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

/** Runs the command as people do. */
const inspect = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> =>
  new Promise((resolve, reject) => {
    const { BOURSE_DATA_DIR: _dir, BOURSE_MONGODB_URL: _url, ...inherited } = process.env
    const child = spawn(process.execPath, [inRoot('services/observability/src/commands/inspect.ts'), ...args], {
      env: { ...inherited, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', ...env },
    })
    let [out, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, errors }))
  })

/**
 * Asks until it is done, with a new request each time it was refused: on a machine that stands still a price is too old and a
 * bank is not heard in its time.
 */
const done = (send: (key: string) => Promise<Answer>): Promise<Answer> =>
  until(
    () => {
      const key = newKey()
      return insist(() => send(key))
    },
    ({ status }) => status < 300,
  )

interface StepBody {
  readonly what: string
  readonly formula: string
  readonly numbers: string
  readonly result: string
  readonly journal: string
  readonly agrees: boolean
}
interface PartBody {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly steps: readonly StepBody[]
  readonly reference: { readonly agrees: boolean; readonly reference: string }
}
interface TradeExplained {
  readonly status: string
  readonly reason: string | null
  readonly opening: PartBody
  readonly updates: readonly PartBody[]
  readonly closing: PartBody | null
  readonly postings: readonly {
    readonly kind: string
    readonly transactionType: string | null
    readonly code: string
  }[]
  readonly money: StepBody
  readonly agrees: boolean
}
interface RecordBody {
  readonly partition: string
  readonly sequence: string
  readonly at: string
  readonly commands: readonly {
    readonly kind: string
    readonly id: string | null
    readonly from: string
    readonly code: string
  }[]
  readonly effects: readonly { readonly to: string; readonly kind: string }[]
}

describe('npm run inspect', () => {
  let world: World
  let data: readonly string[]
  let openKey = ''
  let buyKey = ''
  let liquidated: TradeBody
  let broken: TradeBody
  let moved: TradeBody
  let transactionId: string

  const tradeOf = async (tradeId: string): Promise<TradeExplained> => {
    const { code, out, errors } = await inspect(['trade', tradeId, '--json', ...data])
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    return JSON.parse(out) as TradeExplained
  }
  const lifeOf = async (name: string): Promise<readonly RecordBody[]> => {
    const { code, out } = await inspect(['command', name, '--json', ...data])
    expect(code).toBe(0)
    return (JSON.parse(out) as { readonly records: readonly RecordBody[] }).records
  }
  const closed = (tradeId: string) =>
    until(
      async () => (await world.trader.trades()).find((trade) => trade.tradeId === tradeId),
      (trade) => trade?.status === 'closed',
    )

  beforeAll(async () => {
    world = await startWorld()
    data = ['--data-dir', world.bourse.dataDir]
    const { trader, btc, sol } = world
    const short = { asset: 'BTC_USDC', margin: '100', leverage: 20, direction: 'SHORT' }
    liquidated = engineData(await done((key) => trader.open(short, (openKey = key))))
    btc.set('62800')
    await closed(liquidated.tradeId)
    // Falls by more than the margin at once: the house bears the rest.
    const order = { asset: 'SOL_USDC', margin: '50', leverage: 100 }
    broken = engineData(await done((key) => trader.open(order, key)))
    sol.set('190')
    await closed(broken.tradeId)
    const long = { asset: 'BTC_USDC', margin: '10', leverage: 2, stopLossPrice: '62000' }
    moved = engineData(await done((key) => trader.open(long, key)))
    for (const change of [{ stopLossPrice: null, takeProfitPrice: '70000' }, { stopLossPrice: '62500' }])
      engineData(await done((key) => trader.update(moved.tradeId, change, key)))
    btc.set('62400')
    await closed(moved.tradeId)
    const bank = bankClient(world.bourse.url)
    const bought = await done((key) => bank.buy(CUSTOMER, '100.00', (buyKey = key)))
    transactionId = dataOf<{ transactionId: string }>(bought).transactionId
  }, LIMIT_MS)
  afterAll(() => world.stop())

  test('shows a journal while the platform writes it, a line of JSON for each record', async () => {
    const bridge = await inspect(['journal', 'bridge/0', '--limit', '2', '--json', ...data])
    expect(bridge.code).toBe(0)
    const records = bridge.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordBody)
    expect(records.map(({ partition, sequence }) => `${partition} ${sequence}`)).toEqual(['bridge/0 1', 'bridge/0 2'])
    const { out } = await inspect(['journal', 'bridge/0', ...data])
    expect(out).toMatch(/TRADE {2}from client {2}id [0-9a-f]{32}/)
    expect(out).toContain('CALL_ORDER')
    expect(out).not.toContain('unreadable')
    const middle = await inspect(['journal', 'bridge/0', '--from', '2', '--to', '3', '--json', ...data])
    expect(
      middle.out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as RecordBody).sequence),
    ).toEqual(['2', '3'])
  })

  test('shows every kind of record of every partition without one it can not read', async () => {
    // Which ledger partition an account lands on is chance: with few accounts one of them can be without records.
    const written = (await adminClient(world.bourse.url).partitions()).filter(({ sequence }) => Number(sequence) > 0)
    expect(new Set(written.map(({ name }) => name.replace(/\/\d+$/, '')))).toEqual(
      new Set(['ledger', 'bridge', 'trading/BTC_USDC', 'trading/ETH_USDC', 'trading/SOL_USDC']),
    )
    for (const { name: partition } of written) {
      const { code, out } = await inspect(['journal', partition, '--limit', '100000', ...data])
      expect({ partition, code, unreadable: /.*unreadable.*/.exec(out)?.[0] }).toEqual({ partition, code: 0 })
    }
  })

  test("tells a trade's command from the key it was given under to its last settlement, in time order", async () => {
    const user = /"accountId":"([0-9a-f-]{36})"/.exec((await world.trader.createAccount()).text)?.[1] ?? ''
    const stepsOf = (life: readonly RecordBody[]): readonly string[] =>
      life.flatMap(({ partition, commands }) =>
        commands.map(({ kind, code }) => `${partition.split('/')[0]} ${kind} ${code}`),
      )
    // A list of trades shows the end before the ledger has settled it.
    const records = await until(
      () => lifeOf(`user:${user}:${openKey.toUpperCase()}`),
      (life) => stepsOf(life).length >= 5,
    )
    expect(stepsOf(records)).toEqual([
      'ledger HOLD OK',
      'trading OPEN OK',
      'ledger SETTLE OK',
      'trading TICK OK',
      'ledger SETTLE OK',
    ])
    expect(records.map(({ at }) => at)).toEqual(records.map(({ at }) => at).sort())
    expect(records[0]?.effects.map(({ to, kind }) => `${to.split('/')[0]} ${kind}`)).toEqual(['trading OPEN'])
    // By the trade's id and by the command's it is the same life.
    expect(await lifeOf(liquidated.tradeId)).toEqual(records)
    expect(await lifeOf(records[0]?.commands[0]?.id ?? '')).toEqual(records)
  })

  test("tells a bank's buy across bridge, ledger, bank and exchange, by its key and by its transaction", async () => {
    const answeredTo = (life: readonly RecordBody[]): readonly string[] =>
      life.flatMap(({ commands }) => commands.map(({ kind }) => kind))
    // The bank hears of it after the answer.
    const records = await until(
      () => lifeOf(`bank:demo:${buyKey}`),
      (life) => answeredTo(life).includes('WEBHOOK_ANSWER'),
    )
    const kinds = records.flatMap(({ commands, effects }) => [
      ...commands.map(({ kind }) => kind),
      ...effects.map(({ to, kind }) => `→ ${to.split('/')[0]} ${kind}`),
    ])
    for (const kind of [
      'TRADE',
      'HOLD',
      'LEDGER_OUTCOME',
      'AUTHORIZATION_ANSWER',
      'ORDER_ANSWER',
      'SETTLE',
      'POST',
      'WEBHOOK_ANSWER',
    ])
      expect(kinds).toContain(kind)
    for (const kind of ['→ outside CALL_AUTHORIZE', '→ outside CALL_ORDER', '→ outside CALL_WEBHOOK', '→ ledger HOLD'])
      expect(kinds).toContain(kind)
    const order = (kind: string): number => kinds.indexOf(kind)
    expect([
      order('TRADE'),
      order('HOLD'),
      order('AUTHORIZATION_ANSWER'),
      order('ORDER_ANSWER'),
      order('SETTLE'),
    ]).toEqual(
      [order('TRADE'), order('HOLD'), order('AUTHORIZATION_ANSWER'), order('ORDER_ANSWER'), order('SETTLE')].sort(
        (a, b) => a - b,
      ),
    )
    // By its transaction it is the same life, as far as that has come by now.
    expect((await lifeOf(transactionId)).slice(0, records.length)).toEqual(records)
  })

  test('explains a liquidation: the formula with its numbers, the tick, the postings; the reference agrees', async () => {
    const trade = await tradeOf(liquidated.tradeId)
    expect([trade.status, trade.reason, trade.agrees]).toEqual(['closed', 'LIQUIDATION', true])
    const step = (what: string) =>
      [...trade.opening.steps, ...(trade.closing?.steps ?? [])].find((one) => one.what === what)
    expect(step('liquidation price at the opening')).toMatchObject({
      result: liquidated.liquidationPrice,
      formula: 'ceilTo((E + (F − F₀) + (M + c) ÷ q) ÷ (1 + m), tick), the tier nearest to E',
      numbers:
        `ceilTo((${liquidated.entryPrice} + (0 − 0) + (100 + 0) ÷ ${liquidated.quantity}) ÷ (1 + 0.004), 0.01)` +
        '; tier from 0',
    })
    expect(step('liquidation rule at X')).toMatchObject({ result: 'holds', journal: 'liquidated' })
    expect(trade.closing?.inputs).toMatchObject({ by: 'TICK', feedBid: '62800', feedAsk: '62800' })
    const shown = await closed(liquidated.tradeId)
    expect(step('pnl')?.result).toBe(shown?.pnl)
    expect(step('fees')?.result).toBe(shown?.fees)
    expect(trade.opening.reference).toEqual({ agrees: true, reference: 'the same outcome, byte for byte' })
    expect(trade.closing?.reference).toEqual({ agrees: true, reference: 'the same end, byte for byte' })
    expect(trade.postings.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['HOLD', 'SETTLE', 'POST']))
    const { out } = await inspect(['trade', liquidated.tradeId, ...data])
    expect(out).toContain('recomputed: every number agrees')
    expect(out).not.toContain('DISAGREES')
  })

  test('explains a deficit and who bore it', async () => {
    const trade = await tradeOf(broken.tradeId)
    const deficit = trade.closing?.steps.find(({ what }) => what === 'deficit')
    expect(Number(deficit?.result)).toBeGreaterThan(0)
    expect(trade.agrees).toBe(true)
    expect(trade.postings.map(({ transactionType }) => transactionType)).toContain('INSURANCE_REFUND')
  })

  test('explains a close by a stop that was moved, and each time that it was', async () => {
    const trade = await tradeOf(moved.tradeId)
    expect([trade.status, trade.reason, trade.agrees]).toEqual(['closed', 'STOP_LOSS', true])
    expect(trade.updates.map(({ inputs }) => [inputs['stopLoss'], inputs['takeProfit']])).toEqual([
      [null, '70000'],
      ['62500', '70000'],
    ])
    for (const { reference, steps } of trade.updates) {
      expect(reference).toEqual({ agrees: true, reference: 'the same outcome, byte for byte' })
      expect(steps[0]).toMatchObject({ what: 'liquidation price at the update', agrees: true })
    }
    const { out } = await inspect(['trade', moved.tradeId, ...data])
    expect(out.match(/^updated .*trading\/BTC_USDC/gm)).toHaveLength(2)
    const kinds = (await lifeOf(moved.tradeId)).flatMap(({ commands }) => commands.map(({ kind }) => kind))
    expect(kinds.filter((kind) => kind === 'OPEN_ACCOUNT')).toHaveLength(2)
    const market = out.match(/trading\/BTC_USDC\/\d/)?.[0] ?? ''
    const journal = await inspect(['journal', market, '--limit', '100000', ...data])
    expect(journal.out).toMatch(/UPDATE[^]*as it is/)
  })

  test('explains a trade that is open, and one that its owner closed', async () => {
    expect(await tradeOf(world.openId)).toMatchObject({ status: 'open', closing: null, agrees: true })
    expect(await tradeOf(world.closedId)).toMatchObject({ status: 'closed', reason: 'USER', agrees: true })
  })

  test('refuses what makes no sense with what to do about it', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'bourse-inspect-'))
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['journal', 'ledger/9', ...data], /no partition of this platform; there are ledger\/0, ledger\/1, bridge\/0/],
      [['journal', 'ledger/0', '--data-dir', empty], /holds no platform's data .*--data-dir/],
      [['journal', 'ledger/0', '--mongodb', 'mongodb://x', ...data], /both given; keep the one/],
      [['command', 'abc', ...data], /names no command; give its id \(32 hex characters\)/],
      [['command', '0'.repeat(32), ...data], /names no command/],
      [['command', `user:nobody:${openKey}`, ...data], /names no command/],
      [['trade', 'trade_0', ...data], /no trade's id; give it as the platform told it/],
      [['trade', 'trade_72057594037928935', ...data], /never opened/],
      [['trade', 'trade_14411518807585587201', ...data], /check which platform/],
    ]
    for (const [args, reason] of cases) {
      const { code, out, errors } = await inspect(args)
      expect({ args, code, out }).toEqual({ args, code: 2, out: '' })
      expect(errors).toMatch(reason)
      expect(errors).not.toContain('    at ')
    }
    const none = await inspect(['command', '0123456789abcdef0123456789abcdef', ...data])
    expect([none.code, none.out]).toEqual([1, ''])
    expect(none.errors).toContain('mentions 0123456789abcdef0123456789abcdef')
    expect((await inspect(['journal', 'ledger/0', '--limit', '0', ...data])).code).toBe(1)
    await rm(empty, { recursive: true })
  })

  test('follows a journal until it is told to stop', async () => {
    const child = spawn(
      process.execPath,
      [inRoot('services/observability/src/commands/inspect.ts'), 'journal', 'bridge/0', '--follow', '--json', ...data],
      { env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' } },
    )
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    await until(
      () => Promise.resolve(out),
      (text) => text.includes('ORDER_ANSWER'),
    )
    const before = out.length
    const bought = await done((key) => bankClient(world.bourse.url).buy(CUSTOMER, '10.00', key))
    const { transactionId: next } = dataOf<{ transactionId: string }>(bought)
    await until(
      () => Promise.resolve(out),
      (text) => text.slice(before).includes(next.slice('tx_'.length)),
    )
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  })

  test('of a platform that was stopped leaves the folder as it is, and names a damaged record', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bourse-inspect-'))
    const dataDir = join(folder, 'data')
    const own = ['--data-dir', dataDir]
    await mkdir(dataDir)
    const [running, copy] = [dataFolderAt(world.bourse.dataDir), dataFolderAt(dataDir)]
    for (const name of ['journal', 'directory'] as const) {
      const source = new DatabaseSync(running[name], { readOnly: true })
      source.prepare('VACUUM INTO ?').run(copy[name])
      source.close()
      // As a platform that ended in order leaves it.
      const copied = new DatabaseSync(copy[name])
      copied.exec('PRAGMA journal_mode = wal')
      copied.close()
    }
    const files = async () => (await readdir(dataDir, { recursive: true })).sort()
    const before = await files()
    expect(before.filter((name) => name.endsWith('-wal'))).toEqual([])
    const whole = await inspect(['journal', 'bridge/0', '--to', '3', '--json', ...own])
    expect([whole.code, whole.out.trim().split('\n').length]).toEqual([0, 3])
    expect(await files()).toEqual(before)

    const damaged = new DatabaseSync(copy.journal)
    const changed = "CAST(substr(body, 1, length(body) - 1) || x'ff' AS BLOB)"
    damaged.exec(`UPDATE records SET body = ${changed} WHERE partition = (3 << 24) AND sequence = 2`)
    damaged.close()
    const { code, out, errors } = await inspect(['journal', 'bridge/0', '--json', ...own])
    expect([code, out.trim().split('\n').length]).toEqual([1, 1])
    expect(errors).toBe('inspect: record 2 of partition bridge/0: its bytes do not match its hash\n')
    await rm(folder, { recursive: true })
  })
})
