import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createBourse, type Bourse } from './support/bourse.ts'
import { newKey, until } from './support/calls.ts'
import { adminClient, dataOf } from './support/clients.ts'
import { cutTo, flipRecord, flipSnapshots, scribble, settle } from './support/damage.ts'
import { expectStory, makeHistory, storyOf, type Story } from './support/history.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist } from './support/load.ts'
import { reportOf, runCommand, type CommandResult } from './support/process.ts'

const LEDGER_0 = 0x0100_0000

const verify = (dataDir: string): Promise<CommandResult> => runCommand('verify', ['--data-dir', dataDir])

describe('damage to the data', () => {
  let original: Bourse
  let cookie = ''
  let story: Story
  /** Copies of the data folder: after SIGTERM, and after kill -9 with no snapshot since genesis. */
  let stopped = ''
  let killed = ''
  let bourse: Bourse | null = null

  beforeAll(async () => {
    // Snapshots come at SIGTERM only, so the copy made before has none: there a start replays every record.
    original = await createBourse({ env: { ENGINE_SNAPSHOT_INTERVAL: '86400000' } })
    stopped = join(original.manifests, '../stopped')
    killed = join(original.manifests, '../killed')
    await original.start()
    cookie = (await makeHistory(original)).cookie
    story = await storyOf(original, cookie)
    await original.kill()
    await cp(original.dataDir, killed, { recursive: true })
    // Two ends in order: an older snapshot to fall back to, and a newest one.
    for (const customer of ['x', 'y']) {
      await original.start()
      const [fund, key] = [{ target: 'house', asset: 'BTC_USDC', amount: `1.0${customer.length}` }, newKey()]
      dataOf(await insist(() => adminClient(original.url).act('/fund', fund, key)))
      await original.stop()
    }
    await cp(original.dataDir, stopped, { recursive: true })
  }, LIMIT_MS)

  afterEach(async () => {
    await bourse?.remove()
    bourse = null
  })
  afterAll(() => original.remove())

  /** A platform on a fresh copy of one of the folders. */
  const on = async (folder: string, env: Readonly<Record<string, string>> = {}): Promise<Bourse> => {
    bourse = await createBourse({ env: { ENGINE_SNAPSHOT_INTERVAL: '86400000', ...env } })
    await cp(folder, bourse.dataDir, { recursive: true })
    return bourse
  }
  const tellsTheStory = (one: Bourse): Promise<void> => expectStory(one, cookie, story)
  const journalOf = (one: Bourse): string => join(one.dataDir, 'journal.sqlite')
  const viewsOf = (one: Bourse): string => join(one.dataDir, 'views.sqlite')

  test(
    'the copies are sound: both verify, and the killed one starts with everything',
    async () => {
      expect((await verify(stopped)).code).toBe(0)
      expect((await verify(killed)).code).toBe(0)
      const one = await on(killed)
      expect(await one.start()).not.toContain('passed over')
      await tellsTheStory(one)
    },
    LIMIT_MS,
  )

  test.each([
    ['in its body', 200],
    ['in its checksum', 10],
  ])(
    'a byte flipped in every newest snapshot, %s: it starts from what is before, with everything, and says so',
    async (_, fromEnd) => {
      const one = await on(stopped)
      const flipped = await flipSnapshots(join(one.dataDir, 'snapshots'), fromEnd)
      expect(flipped).toBeGreaterThan(5)
      const banner = await one.start()
      expect(banner.match(/a snapshot was passed over: partition [a-z/0-9]+ at \d+: \S/g)).toHaveLength(flipped)
      await tellsTheStory(one)
    },
    LIMIT_MS,
  )

  test(
    'a byte flipped in a record that a start replays: it refuses, naming partition and record',
    async () => {
      const one = await on(killed)
      settle(journalOf(one))
      await flipRecord(journalOf(one), LEDGER_0, 3)
      const { code, said } = await one.startRefused()
      expect(code).toBe(1)
      expect(said).toMatch(/The platform can not start: record 3 of partition ledger\/0\b/)
    },
    LIMIT_MS,
  )

  test(
    'a byte flipped in any record: verify exits 1 and names the first bad one',
    async () => {
      const one = await on(stopped)
      await flipRecord(journalOf(one), LEDGER_0, 2)
      const result = await verify(one.dataDir)
      expect(result.code).toBe(1)
      const report = reportOf<{ ok: boolean; firstBadRecord: { partition: string; sequence: string } }>(result)
      expect([report.ok, report.firstBadRecord]).toEqual([
        false,
        expect.objectContaining({ partition: 'ledger/0', sequence: '2' }),
      ])
      expect(result.stdout).toContain('FAULT record ledger/0 at 2: ')
    },
    LIMIT_MS,
  )

  test.each([90, 50, 1, 0])(
    'a journal cut to %i %%: it refuses in words, and verify finds it',
    async (percent) => {
      const one = await on(stopped)
      await cutTo(journalOf(one), percent)
      const { code, said } = await one.startRefused()
      expect(code).toBe(1)
      expect(said).toMatch(
        /The platform can not start: .*(journal\.sqlite.*damaged|it has lost records; restore a backup)/,
      )
      expect((await verify(one.dataDir)).code).toBe(1)
    },
    LIMIT_MS,
  )

  test(
    'views that are gone are rebuilt: the same lists',
    async () => {
      const one = await on(killed)
      for (const ending of ['', '-wal', '-shm']) await rm(`${viewsOf(one)}${ending}`, { force: true })
      await one.start()
      await tellsTheStory(one)
    },
    LIMIT_MS,
  )

  test.each([
    ['at their head', 0],
    ['in their midst', 40_000],
  ])(
    'views that are damaged %s are set aside, said aloud, and rebuilt: the same lists',
    async (_, at) => {
      const one = await on(killed)
      settle(viewsOf(one))
      await scribble(viewsOf(one), at, 20_000)
      await one.start()
      // Standard error is another pipe than the one that told of the start.
      await until(
        async () => one.log(),
        (log) => log.includes('the views are damaged: the file is set aside'),
      )
      expect((await readdir(one.dataDir)).filter((name) => name.startsWith('views.sqlite.damaged-'))).toHaveLength(1)
      await tellsTheStory(one)
    },
    LIMIT_MS,
  )

  test(
    'a second process on the same folder is refused in words, and the first goes on',
    async () => {
      const one = await on(stopped)
      await one.start()
      const second = await createBourse({ dataDir: one.dataDir })
      try {
        const { code, said } = await second.startRefused()
        expect(code).toBe(1)
        expect(said).toContain('is in use by another process: stop it first, or give this one a folder of its own')
      } finally {
        await second.remove()
      }
      await tellsTheStory(one)
    },
    LIMIT_MS,
  )

  test.each([
    ['BOURSE_LEDGER_PARTITIONS', '4', '2'],
    ['BOURSE_BRIDGE_PARTITIONS', '2', '1'],
  ])(
    'a changed %s is refused, naming the number to go back to',
    async (name, wanted, recorded) => {
      const one = await on(stopped, { [name]: wanted })
      const { code, said } = await one.startRefused()
      expect(code).toBe(1)
      expect(said).toContain(
        `${name} is ${wanted}, but this data was made with ${recorded}; set it back to ${recorded}`,
      )
    },
    LIMIT_MS,
  )
})
