import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { owedToCustomer } from './support/audit.ts'
import { createBourse, type Bourse } from './support/bourse.ts'
import { call, newKey, until, type Answer } from './support/calls.ts'
import { bankClient, codeOf, dataOf, signUp, type TraderClient } from './support/clients.ts'
import { fillDisk } from './support/damage.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist, lasting, type Done } from './support/load.ts'
import { runCommand } from './support/process.ts'
import { opened } from './support/sure.ts'

const DISK_BYTES = 24 * 1024 * 1024

/** A disk of our own in memory, or why there can be none. */
const smallDisk = (): { readonly folder: string; readonly reason: string | undefined } => {
  const folder = mkdtempSync(join(tmpdir(), 'bourse-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder], { stdio: 'pipe' })
    return { folder, reason: undefined }
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return { folder, reason: 'a small disk can be mounted by root only' }
  }
}

const disk = smallDisk()

describeUnless(disk.reason, 'a full disk', () => {
  let bourse: Bourse
  let trader: TraderClient
  const done: Done[] = []
  const filler = join(disk.folder, 'filler')
  const bank = () => bankClient(bourse.url)

  beforeAll(async () => {
    bourse = await createBourse({ dataDir: join(disk.folder, 'data'), env: { ENGINE_SNAPSHOT_INTERVAL: '500' } })
    await bourse.start()
    trader = await signUp(bourse.url, 'full')
  }, LIMIT_MS)

  afterAll(async () => {
    await bourse.remove()
    execFileSync('umount', ['-l', disk.folder])
    rmSync(disk.folder, { recursive: true, force: true })
  })

  const deposit = async (key: string, answer: Promise<Answer>): Promise<Answer> => {
    const got = await answer
    const again = () => bank().deposit('anna', '1.00', key)
    if (got.status === 201) done.push({ kind: 'deposit', key, who: 0, amount: '1.00', answer: got, again })
    return got
  }

  test(
    'commands are answered 503 with a remedy, a bank’s stay pending, and none is acknowledged that is not kept',
    async () => {
      await deposit(...keyed())
      await fillDisk(filler)
      // Of what the partition held as it gave up nobody tells the bank that it was not accepted.
      const unclear = await until(
        () => deposit(...keyed()),
        ({ status }) => status !== 201,
      )
      const told = unclear.status === 202 ? dataOf<{ status: string }>(unclear).status : codeOf(unclear)
      expect(['PENDING', 'UNAVAILABLE']).toContain(told)
      // Each partition finds the last room by itself, and a snapshot that goes makes a little.
      const refused = await until(
        () => trader.open({ asset: 'BTC_USDC', margin: '10', leverage: 2 }, newKey()),
        ({ status }) => status !== 200,
      )
      expect([refused.status, codeOf(refused)]).toEqual([503, 'UNAVAILABLE'])
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
      expect((await call(`${bourse.url}/livez`)).status).toBe(200)
    },
    LIMIT_MS,
  )

  test(
    'with room again it serves by itself, with everything it acknowledged',
    async () => {
      await rm(filler)
      const key = newKey()
      await deposit(
        key,
        insist(() => bank().deposit('anna', '1.00', key)),
      )
      expect((await opened(trader, { asset: 'BTC_USDC', margin: '10', leverage: 2 })).margin).toBe('10')
      await until(
        () => call(`${bourse.url}/readyz`),
        ({ status }) => status === 200,
      )
      const [account] = await bank().accounts('anna')
      expect(parseAmount(account?.balance ?? '0')).toBeGreaterThanOrEqual(owedToCustomer(done, 0).AZN)
      for (const { again, answer } of done) expect(lasting(await insist(again))).toBe(lasting(answer))
    },
    LIMIT_MS,
  )

  test(
    'a restart and a replay from genesis agree',
    async () => {
      const before = await bank().accounts('anna')
      expect((await bourse.stop()).code).toBe(0)
      await bourse.start()
      expect(await bank().accounts('anna')).toEqual(before)
      await bourse.stop()
      const { code, stdout } = await runCommand('verify', ['--data-dir', bourse.dataDir])
      expect([code, stdout.match(/FAULT.*/g)]).toEqual([0, null])
    },
    LIMIT_MS,
  )

  const keyed = (): [string, Promise<Answer>] => {
    const key = newKey()
    return [key, bank().deposit('anna', '1.00', key)]
  }
})
