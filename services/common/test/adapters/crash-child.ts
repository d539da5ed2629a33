/**
 * Writes without end through one adapter and says on standard output what was answered for, a line each, until it is killed:
 * `node crash-child.ts <journal|directory|views|snapshots|full> <folder>`.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteDirectory } from '../../src/adapters/embedded/directory.ts'
import { openSqliteJournal } from '../../src/adapters/embedded/journal.ts'
import { openFileSnapshots } from '../../src/adapters/embedded/snapshots.ts'
import { openSqliteViews } from '../../src/adapters/embedded/views.ts'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { ViewWrite } from '../../src/ports/views.ts'
import { crashModel, PARTITIONS, recordAt, snapshotAt } from './crash-data.ts'

const clock = createSystemClock()
const say = (line: string): void => void writeSync(1, `${line}\n`)

const writeJournal = async (folder: string): Promise<void> => {
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const writePartition = async (partition: number): Promise<void> => {
    for (let next = ((await journal.head(partition))?.sequence ?? 0n) + 1n; ; next++) {
      const answer = await journal.append(partition, recordAt(partition, next))
      say(`${partition} ${next} ${answer}`)
    }
  }
  await Promise.all(PARTITIONS.map(writePartition))
}

/** Fills a journal whose files may not grow beyond a limit; says how it ended and what is there afterwards. */
const fillJournal = async (folder: string): Promise<void> => {
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const partition = PARTITIONS[0]!
  for (let next = 1n; ; next++) {
    try {
      await journal.append(partition, recordAt(partition, next))
    } catch (error) {
      say(`failed ${next} ${error instanceof PortError ? error.kind : String(error)}`)
      break
    }
    say(`${partition} ${next} appended`)
  }
  say(`head ${(await journal.head(partition))?.sequence}`)
}

const writeDirectory = async (folder: string): Promise<void> => {
  const directory = openSqliteDirectory({ path: join(folder, 'directory.sqlite'), clock })
  for (let index = 0; ; index++) {
    const id = `${process.pid}-${index}`
    const email = `${id}@example.com`
    await directory.createUser({ id, email, passwordHash: 'h', createdAtMs: 1, locked: false, sessionsValidFromMs: 0 })
    say(id)
  }
}

const writeViews = async (folder: string): Promise<void> => {
  const views = openSqliteViews({ path: join(folder, 'views.sqlite'), models: [crashModel] })
  for (let next = (await views.cursor('crash', 1)) + 1n; ; next++) {
    const write = (part: string): ViewWrite => ({
      kind: 'merge',
      model: crashModel,
      id: `${next}-${part}`,
      fields: { sequence: next },
    })
    await views.project('crash', 1, next, ['a', 'b', 'c'].map(write))
    say(String(next))
  }
}

const writeSnapshots = async (folder: string): Promise<void> => {
  const snapshots = await openFileSnapshots({ folder, clock })
  for (let next = ((await snapshots.list(1))[0]?.sequence ?? 0n) + 1n; ; next++) {
    await snapshots.write(1, next, snapshotAt(next))
    say(String(next))
  }
}

const writers: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  journal: writeJournal,
  full: fillJournal,
  directory: writeDirectory,
  views: writeViews,
  snapshots: writeSnapshots,
}

await writers[process.argv[2]!]!(process.argv[3]!)
