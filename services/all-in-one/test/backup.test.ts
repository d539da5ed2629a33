import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { heldByCustomer } from './support/audit.ts'
import { createBourse, type Bourse } from './support/bourse.ts'
import { until } from './support/calls.ts'
import { bankClient, signUp, traderClient, type TraderClient, type TransactionBody } from './support/clients.ts'
import { flipByte } from './support/damage.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist, lasting, runLoad, type Done, type Load } from './support/load.ts'
import { reportOf, runCommand } from './support/process.ts'

const CUSTOMERS = 4
const SEED = 7

interface Report {
  readonly ok: boolean
  readonly records: number
  readonly money: { readonly openTrades: number }
}

describe('backup and restore', () => {
  let bourse: Bourse
  let restored: Bourse | null = null
  let trader: TraderClient
  let load: Load
  /** Operations that had their answer before the backup began. */
  let before: readonly Done[] = []
  let backup = ''
  let report: Report

  const place = (name: string): string => join(bourse.manifests, '..', name)
  const bank = (of: Bourse) => bankClient(of.url)

  beforeAll(async () => {
    bourse = await createBourse()
    backup = place('backup')
    await bourse.start()
    trader = await signUp(bourse.url, 'trader')
    let done = 0
    const loading = runLoad({
      seed: SEED,
      onDone: (count) => void (done = count),
      bank: bank(bourse),
      customers: CUSTOMERS,
      traders: [trader],
      operations: 300,
    })
    await until(
      async () => done,
      (count) => count > 60,
    )
    const answered = done
    const made = await runCommand('backup', ['--data-dir', bourse.dataDir, '--out', backup])
    expect([made.code, made.stderr.replace(/.*Warning.*\n?/g, '')]).toEqual([0, ''])
    report = reportOf<Report>(made)
    const wasUnderLoad = done > answered
    load = await loading
    expect(wasUnderLoad).toBe(true)
    before = load.done.slice(0, answered)
  }, LIMIT_MS)

  afterAll(async () => {
    await restored?.remove()
    await bourse.remove()
  })

  test('a backup of the running platform verifies, and the platform goes on', async () => {
    expect(report.ok).toBe(true)
    expect(report.records).toBeGreaterThan(60)
    expect(load.done.filter(({ answer }) => answer.status < 300).length).toBeGreaterThan(200)
    expect((await heldByCustomer(bank(bourse), 'customer-0')).AZN).toBeGreaterThan(0n)
  })

  test(
    'restored into a new folder it verifies and starts, with every outcome answered before the backup',
    async () => {
      restored = await createBourse()
      const result = await runCommand('restore', ['--from', backup, '--data-dir', restored.dataDir])
      expect(result.code).toBe(0)
      expect(reportOf<Report>(result)).toMatchObject({ ok: true, records: report.records })
      await restored.start()
      const there = restored
      const found = await Promise.all(
        before.filter(({ kind }) => kind === 'buy' || kind === 'deposit').map(({ key }) => bank(there).byKey(key)),
      )
      expect(found.length).toBeGreaterThan(20)
      expect(found.map(({ status }) => status)).not.toContain('PENDING')
      const { trades } = await traderClient(there.url, trader.cookie).balance()
      expect(trades.length).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )

  test(
    'on the restored platform a key of before the backup answers as it did, and its balances are those of its entries',
    async () => {
      const there = restored!
      const twin = traderClient(there.url, trader.cookie)
      for (const { kind, key, who, amount, answer } of before.slice(0, 40)) {
        if (kind !== 'buy') continue
        const repeated = await insist(() => bank(there).buy(`customer-${who}`, amount, key))
        expect(lasting(repeated)).toBe(lasting(answer))
      }
      expect((await twin.get('/auth/me')).status).toBe(200)
      // What was under way when the backup was made goes on here: it comes to rest first, and the lists with it.
      const told = async () => {
        const all = await bank(there).transactions()
        const customers = Array.from({ length: CUSTOMERS }, (_, who) => `customer-${who}`)
        const held = await Promise.all(customers.map((customer) => heldByCustomer(bank(there), customer)))
        const entries = customers.map((customer) =>
          all.filter((one) => one.bankUserId === customer).flatMap((one) => one.entries),
        )
        return {
          isAtRest: all.every(({ status }) => status !== 'PENDING'),
          held: held.map(({ AZN, USDT, locked }) => [AZN, USDT, locked]),
          sums: entries.map((own) => [ownSum(own, 'AZN'), ownSum(own, 'USDT'), 0n]),
        }
      }
      const isSettled = (now: Awaited<ReturnType<typeof told>>): boolean =>
        now.isAtRest && isDeepStrictEqual(now.held, now.sums)
      await until(told, isSettled).catch(() => undefined)
      const { held, sums } = await told()
      expect(held).toEqual(sums)
    },
    LIMIT_MS,
  )

  test(
    'stopped again, the restored platform verifies',
    async () => {
      expect(await restored!.stop()).toEqual({ code: 0, signal: null })
      expect((await runCommand('verify', ['--data-dir', restored!.dataDir])).code).toBe(0)
    },
    LIMIT_MS,
  )

  test(
    'a backup with one bit turned over is refused, naming the file',
    async () => {
      const damaged = place('damaged')
      await cp(backup, damaged, { recursive: true })
      await flipByte(join(damaged, 'directory.sqlite'), 5_000)
      const { code, stderr } = await runCommand('restore', ['--from', damaged, '--data-dir', place('from-damaged')])
      expect(code).toBe(1)
      expect(stderr).toMatch(
        /nothing was restored: the backup is damaged: directory\.sqlite has SHA-256 [0-9a-f]{64}, not /,
      )
    },
    LIMIT_MS,
  )

  test(
    'a backup that lost its list of files is refused as unfinished',
    async () => {
      const unfinished = place('unfinished')
      await cp(backup, unfinished, { recursive: true, filter: (path) => !path.endsWith('inventory.json') })
      const { code, stderr } = await runCommand('restore', [
        '--from',
        unfinished,
        '--data-dir',
        place('from-unfinished'),
      ])
      expect([code, stderr]).toEqual([1, expect.stringContaining('it is no finished backup')])
    },
    LIMIT_MS,
  )

  test(
    'neither backup nor restore touches a folder that holds something',
    async () => {
      const full = place('manifests')
      const [backedUp, putBack] = await Promise.all([
        runCommand('backup', ['--data-dir', bourse.dataDir, '--out', full]),
        runCommand('restore', ['--from', backup, '--data-dir', full]),
      ])
      for (const { code, stderr } of [backedUp, putBack]) {
        expect([code, stderr]).toEqual([1, expect.stringContaining('is not empty; name a new folder')])
      }
      const names = JSON.parse(await readFile(join(backup, 'inventory.json'), 'utf8')) as { files: { path: string }[] }
      expect(names.files.map(({ path }) => path)).toContain('journal.sqlite')
      expect(names.files.filter(({ path }) => /\.lock$|views/.test(path))).toEqual([])
    },
    LIMIT_MS,
  )
})

/** Sum of a customer's own entries, in units. */
const ownSum = (entries: TransactionBody['entries'], currency: string): bigint =>
  entries
    .filter((entry) => entry.currency === currency && entry.accountId.startsWith('customer:'))
    .reduce((sum, { amount }) => sum + parseAmount(amount), 0n)
