import { pino } from 'pino'
import { until } from '../../../src/testkit/contracts/scenario.ts'
import { openRedis, type RedisConnection, type RedisSettings } from '../../../src/adapters/redis/connection.ts'

/** A logger that says nothing. */
export const silent = pino({ level: 'silent' })

/** An address of the loopback on which nobody listens. */
export const NOBODY_URL = 'redis://127.0.0.1:1'

let prefixes = 0
/** A prefix no other test uses: fresh data on a shared server. */
export const freshPrefix = (): string => `t${process.pid}-${(prefixes += 1)}`

/** Answers may take far longer than in production: the machine runs other tests too and may stand still for seconds. */
export const PATIENT = { commandTimeoutMs: 60_000, silenceMsMax: 60_000 } as const

/** A connection for a test, which stands. */
export const openPatient = async (
  url: string,
  prefix = freshPrefix(),
  settings: Partial<RedisSettings> = {},
): Promise<RedisConnection> => {
  const connection = await openRedis({ url, logger: silent, prefix, ...PATIENT, ...settings })
  await until(() => connection.state() === 'ready')
  return connection
}

/** How many of these tasks end at once: without waiting for anything but one another. */
export const endedAtOnce = async (tasks: readonly Promise<unknown>[]): Promise<number> => {
  let ended = 0
  for (const task of tasks) void task.then(() => (ended += 1))
  await new Promise((resolve) => setImmediate(resolve))
  return ended
}
