import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openSqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { openFileSnapshots } from '../../src/adapters/embedded/snapshots.ts'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { crashModel, PARTITIONS, recordAt, snapshotAt } from './crash-data.ts'

const ROUNDS = 3
/** Each starts a process and reads all that it wrote, which on a busy machine is more than the few it was waited for. */
const ROUNDS_MS_MAX = 600_000
const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url))
const clock = createSystemClock()

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bourse-crash-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs the child until it has answered for so many writes, kills it in the middle of the next, and gives what it said. */
const killAfter = async (what: string, writes: number): Promise<readonly string[]> => {
  const child = spawn(process.execPath, ['--no-warnings', CHILD, what, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
    if (said.split('\n').length > writes) child.kill('SIGKILL')
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...end) => resolve(end))
  })
  if (signal !== 'SIGKILL') throw new Error(`the child ended by itself (${code}): ${complaint}`)
  return said.split('\n').slice(0, -1)
}

test(
  'J2 every record a killed writer was told of is there, byte for byte, without gaps',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const said = await killAfter('journal', 40 + round * 37)
      const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
      expect(journal.opened).toEqual({ wasClosedCleanly: false, wasChecked: true })
      expect(said.filter((line) => !line.endsWith('appended'))).toEqual([])
      for (const line of said) {
        const [partition, sequence] = line.split(' ')
        const wanted = recordAt(Number(partition), BigInt(sequence!))
        const found = await journal.read(Number(partition), wanted.sequence)
        expect(found === null ? 'missing' : Buffer.compare(found.body, wanted.body)).toBe(0)
      }
      for (const partition of PARTITIONS) {
        let expected = 1n
        for await (const record of journal.readFrom(partition, 1n)) {
          expect(record.sequence).toBe(expected)
          expect(Buffer.compare(record.hash, recordAt(partition, expected).hash)).toBe(0)
          expected += 1n
        }
        expect((await journal.head(partition))?.sequence).toBe(expected - 1n)
      }
      await journal.close()
    }
  },
  ROUNDS_MS_MAX,
)

test(
  'D7 every user a killed writer was told of is there',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const said = await killAfter('directory', 30 + round * 11)
      const directory = openSqliteDirectory({ path: join(folder, 'directory.sqlite'), clock })
      for (const id of said) expect((await directory.userById(id))?.email).toBe(`${id}@example.com`)
      await directory.close()
    }
  },
  ROUNDS_MS_MAX,
)

test(
  'V2 after a kill the cursor is not ahead of the documents, nor behind what was answered for',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const said = await killAfter('views', 60 + round * 23)
      const views = openSqliteViews({ path: join(folder, 'views.sqlite'), models: [crashModel] })
      const cursor = await views.cursor('crash', 1)
      expect(cursor >= BigInt(said.at(-1)!)).toBe(true)
      for (let sequence = 1n; sequence <= cursor; sequence++) {
        for (const part of ['a', 'b', 'c'])
          expect((await views.get(crashModel, `${sequence}-${part}`))?.sequence).toBe(sequence)
      }
      expect(await views.get(crashModel, `${cursor + 1n}-a`)).toBeNull()
      await views.close()
    }
  },
  ROUNDS_MS_MAX,
)

test(
  'S1 after a kill every answered snapshot is whole, and nothing half-written is listed or left',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const said = await killAfter('snapshots', 3 + round)
      const snapshots = await openFileSnapshots({ folder, clock })
      const listed = (await snapshots.list(1)).map(({ sequence }) => sequence)
      for (const line of said) expect(listed).toContain(BigInt(line))
      for (const sequence of listed)
        expect(Buffer.compare((await snapshots.read(1, sequence))!, snapshotAt(sequence))).toBe(0)
      expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.partial'))).toEqual([])
      await snapshots.close()
    }
  },
  ROUNDS_MS_MAX,
)

test('a full disk refuses the append, leaves nothing of it behind, and loses nothing that was answered for', async () => {
  const command = `ulimit -f 1500; exec "$0" --no-warnings "$1" full "$2"`
  const child = spawn('bash', ['-c', command, process.execPath, CHILD, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await new Promise((resolve) => child.on('close', resolve))
  const lines = said.trim().split('\n')
  const appended = lines.filter((line) => line.endsWith('appended')).length
  expect(appended).toBeGreaterThan(50)
  expect(lines).toContain(`head ${appended}`)
  const failure = lines.find((line) => line.startsWith('failed'))
  expect(failure).toMatch(new RegExp(`^failed ${appended + 1} (unavailable|unknown)$`, 'u'))
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  expect((await journal.head(PARTITIONS[0]!))?.sequence).toBe(BigInt(appended))
  expect(await journal.append(PARTITIONS[0]!, recordAt(PARTITIONS[0]!, BigInt(appended + 1)))).toBe('appended')
  await journal.close()
})

test('a folder that another process writes is refused with a clear message', async () => {
  const child = spawn(process.execPath, ['--no-warnings', CHILD, 'journal', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.stdout.resume()
    const opening = async () => openSqliteJournal({ path: join(folder, 'journal.sqlite') })
    const message: unknown = expect.stringContaining('in use by another process')
    await expect(opening()).rejects.toMatchObject({ kind: 'unavailable', message })
  } finally {
    const ended = new Promise((resolve) => child.on('close', resolve))
    child.kill('SIGKILL')
    await ended
  }
})
