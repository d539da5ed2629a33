import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { Finding } from '../../ports/finding.ts'
import type { RedisConnection } from './connection.ts'
import { readRedisTime } from './server-time.ts'

/** Oldest Redis we run on: users with passwords of their own (ACL) and the streams as we use them. */
export const REDIS_VERSION_MIN = '6.0'
/** Times the server's clock is read; the quickest answer counts. */
export const CLOCK_READINGS = 5

/** What the look at Redis needs. */
export interface RedisPreflight {
  readonly connection: RedisConnection
  readonly clock: Clock
  /** How far clocks may be apart, ms: the age up to which the platform believes a price. */
  readonly clockDifferenceMsMax: number
}

const isAtLeast = (version: string, least: string): boolean => {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number))
  for (const [index, part] of want!.entries()) {
    if ((have![index] ?? 0) !== part) return (have![index] ?? 0) > part
  }
  return true
}

/** Difference of the clocks, server's minus ours, ms, and by how much the reading may be wrong either way. */
const clockDifference = async ({ connection, clock }: RedisPreflight): Promise<{ ms: number; doubtMs: number }> => {
  let best = { ms: 0, doubtMs: Infinity }
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const [startMs, startMonotonicMs] = [clock.nowMs(), clock.monotonicMs()]
    const serverMs = await readRedisTime(connection)
    const doubtMs = (clock.monotonicMs() - startMonotonicMs) / 2
    // Our own clock counts whole milliseconds.
    if (doubtMs + 1 < best.doubtMs) best = { ms: serverMs - (startMs + doubtMs), doubtMs: doubtMs + 1 }
  }
  return best
}

const clockFindings = async (preflight: RedisPreflight): Promise<Finding[]> => {
  const { connection, clockDifferenceMsMax } = preflight
  const { ms, doubtMs } = await clockDifference(preflight)
  if (Math.abs(ms) - doubtMs <= clockDifferenceMsMax) return []
  const apart = `${Math.round(ms)} ms from ours, allowed are ${clockDifferenceMsMax} ms`
  return [
    {
      service: 'clock',
      code: 'clocks-apart',
      message: `the clock of Redis at ${connection.address} is ${apart}`,
      remedy: 'synchronise the clocks of all machines (chrony or another NTP client) and start again',
      losesData: true,
    },
  ]
}

const versionFindings = (facts: ReadonlyMap<string, string>): Finding[] => {
  const version = facts.get('redis_version') ?? 'unknown'
  if (isAtLeast(version, REDIS_VERSION_MIN)) return []
  return [
    {
      service: 'redis',
      code: 'server-too-old',
      message: `Redis ${version} is older than ${REDIS_VERSION_MIN}`,
      remedy: `upgrade Redis to ${REDIS_VERSION_MIN} or later`,
      losesData: false,
    },
  ]
}

const memoryFindings = (facts: ReadonlyMap<string, string>): Finding[] => {
  const findings: Finding[] = []
  const policy = facts.get('maxmemory_policy') ?? 'unknown'
  if (policy !== 'noeviction') {
    findings.push({
      service: 'redis',
      code: 'evicts',
      message: `maxmemory-policy is ${policy}: under memory pressure rate limits are forgotten and let pass, and nobody is told`,
      remedy: 'set maxmemory-policy noeviction: a full Redis then refuses writes, which we count and survive',
      losesData: false,
    })
  }
  if (facts.get('maxmemory') === '0') {
    findings.push({
      service: 'redis',
      code: 'memory-unbounded',
      message: 'maxmemory is 0: Redis takes memory until the machine has none',
      remedy: 'set maxmemory to what the machine can spare',
      losesData: false,
    })
  }
  return findings
}

/** `name:value` lines of INFO. */
const factsOf = (info: string): ReadonlyMap<string, string> =>
  new Map(
    info
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )

/**
 * Looks at Redis before the platform starts. It may lose everything at any time, so only clocks apart are a finding that
 * `losesData`: prices would be judged by the wrong age.
 */
export const checkRedis = async (preflight: RedisPreflight): Promise<readonly Finding[]> => {
  const { connection } = preflight
  try {
    const info = (await connection.command('INFO')) as Buffer
    const facts = factsOf(info.toString('utf8'))
    return [...versionFindings(facts), ...memoryFindings(facts), ...(await clockFindings(preflight))]
  } catch (error) {
    if (!(error instanceof PortError)) throw error
    return [
      {
        service: 'redis',
        code: 'unreachable',
        message: `Redis does not answer: ${error.message}`,
        remedy: `start Redis at ${connection.address} or correct the URL; until then nothing limits requests`,
        losesData: false,
      },
    ]
  }
}
