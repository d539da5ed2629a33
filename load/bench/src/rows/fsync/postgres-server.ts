import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'

const run = promisify(execFile)
const MAJOR = '15'
/** It refuses to run as root: these are tried in order. */
const UNPRIVILEGED = ['postgres', 'nobody']
const READY_MS_MAX = 30_000

/**
 * Durable as the journal is: a commit returns when its log is on the disk. The rest gives it room, so that no checkpoint
 * falls into a measurement.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  max_connections: '20',
} as const

/** A private PostgreSQL; `host` is the folder of its socket. */
export interface PostgresServer {
  readonly host: string
  readonly user: string
  stop(): Promise<void>
}

const foldersOfBinaries = (): string[] => [
  ...(process.env['PATH'] ?? '').split(delimiter),
  `/usr/lib/postgresql/${MAJOR}/bin`,
]

/** Folder with the server's binaries, or null. */
const findBinaries = async (): Promise<string | null> => {
  for (const folder of foldersOfBinaries()) {
    if (!existsSync(join(folder, 'postgres')) || !existsSync(join(folder, 'initdb'))) continue
    const { stdout } = await run(join(folder, 'postgres'), ['--version'])
    if (stdout.includes(` ${MAJOR}.`)) return folder
  }
  return null
}

interface Identity {
  readonly uid: number
  readonly gid: number
}

/** Who the server runs as: ourselves, or somebody without rights when we are root; null when there is nobody. */
const findIdentity = (): Identity | null => {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  if (uid !== 0) return { uid, gid }
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of UNPRIVILEGED) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  return null
}

/** Why there can be no server here, or null. */
export const postgresUnavailable = async (): Promise<string | null> => {
  if ((await findBinaries()) === null) return `PostgreSQL ${MAJOR} is not installed`
  return findIdentity() === null ? 'PostgreSQL does not run as root, and there is no other user' : null
}

const waitUntilReady = async (host: string, user: string): Promise<void> => {
  const clock = createSystemClock()
  const endMs = clock.monotonicMs() + READY_MS_MAX
  for (;;) {
    const client = new pg.Client({ host, user, database: 'postgres' })
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      if (clock.monotonicMs() > endMs) throw new Error('PostgreSQL did not become ready', { cause: error })
    }
    await clock.sleep(50)
  }
}

/** Starts a server of its own in `folder`: nobody but this machine's user and root reaches its socket. */
export const startPostgres = async (folder: string): Promise<PostgresServer> => {
  const binaries = await findBinaries()
  const identity = findIdentity()
  if (binaries === null || identity === null) throw new Error('there is no PostgreSQL here')
  const user = 'bench'
  const data = join(folder, 'data')
  await mkdir(folder)
  await chmod(folder, 0o700)
  await chown(folder, identity.uid, identity.gid)
  const as = { ...identity, cwd: folder }
  await run(join(binaries, 'initdb'), ['-D', data, '-U', user, '--auth=trust', '--locale=C', '--encoding=UTF8'], as)
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(binaries, 'postgres'), ['-D', data, '-k', folder, ...settings], { ...as, stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    server.kill('SIGINT')
    await ended
  }
  try {
    await waitUntilReady(folder, user)
  } catch (error) {
    await stop()
    throw error
  }
  return { host: folder, user, stop }
}
