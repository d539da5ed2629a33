import type { ConfirmChannel } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { Finding } from '../../ports/finding.ts'
import { openRabbitConnection, type RabbitConnection, type ServerVersion } from './connection.ts'
import { deadLetterQueue, PARTITION_QUEUE_MAX, partitionQueue, QUEUE_PREFIX, type QueueSpec } from './topology.ts'

/** The oldest RabbitMQ whose quorum queues keep what we rely on. */
export const OLDEST_VERSION = { major: 3, minor: 10 } as const
/** How long the server may take for the message that would make it tell of an alarm, ms. */
export const PROBE_TIMEOUT_MS = 2_000

/** What the server must be able to do, and what happens without it. */
const NEEDED: Readonly<Record<string, string>> = {
  publisher_confirms: 'nobody would know which messages the broker has',
  'basic.nack': 'a full queue could not refuse a message',
  'connection.blocked': 'an alarm would look like a dead broker',
  consumer_cancel_notify: 'a consumer would wait for ever on a queue that was deleted',
}

const NOT_FOUND = 404
const PRECONDITION_FAILED = 406

const finding = (code: string, message: string, remedy: string): Finding => ({
  service: 'rabbitmq',
  code,
  message,
  remedy,
  losesData: true,
})

/** What is wrong with the server itself. */
export const judgeServer = (
  version: ServerVersion,
  capabilities: Readonly<Record<string, boolean>>,
): readonly Finding[] => {
  const { major, minor } = OLDEST_VERSION
  const isOld = version.major < major || (version.major === major && version.minor < minor)
  const old = finding(
    'server-too-old',
    `RabbitMQ ${version.text} is older than ${major}.${minor}`,
    `upgrade the server to ${major}.${minor} or later`,
  )
  const missing = Object.entries(NEEDED)
    .filter(([name]) => capabilities[name] !== true)
    .map(([name, harm]) =>
      finding(
        name === 'publisher_confirms' ? 'confirms-unavailable' : 'capability-missing',
        `the server does not offer ${name}: ${harm}`,
        'use RabbitMQ itself, without a proxy that hides its capabilities',
      ),
    )
  return isOld ? [old, ...missing] : missing
}

/** What the server's refusal to declare a queue as it must be says about the queue that is there. */
export const judgeRefusal = (spec: QueueSpec, answer: string): Finding => {
  const queue = `queue ${spec.name}`
  const deletion = `rabbitmqctl delete_queue '${spec.name}'`
  const remedy = `stop the platform, let the queue run empty, and delete it: ${deletion}; it is declared anew`
  const argument = /inequivalent arg '([^']+)'/.exec(answer)?.[1] ?? 'unknown'
  const found = /but current is (.+?)"?$/.exec(answer)?.[1] ?? 'another value'
  if (argument === 'x-queue-type') {
    return finding('queue-not-quorum', `${queue} is no quorum queue: its type is ${found}`, remedy)
  }
  if (argument === 'durable' || argument === 'auto_delete' || argument === 'exclusive') {
    return finding('queue-not-durable', `${queue} does not outlive a restart: ${argument} is ${found}`, remedy)
  }
  // The server names one difference only: a queue with none of our arguments is most likely a classic one.
  return finding('queue-wrong-arguments', `${queue} was declared by somebody else: ${argument} is ${found}`, remedy)
}

const codeOf = (error: unknown): unknown =>
  error instanceof PortError && error.cause instanceof Error ? (error.cause as Error & { code?: unknown }).code : null

/** Declares a queue that is there as it must be; one that is not there is declared when it is first used. */
const checkQueue = async (connection: RabbitConnection, spec: QueueSpec): Promise<Finding | null> => {
  const attempt = async (task: (channel: ConfirmChannel) => Promise<unknown>): Promise<unknown> => {
    try {
      await connection.withChannel(task)
      return null
    } catch (error) {
      return error
    }
  }
  const absent = await attempt((channel) => channel.checkQueue(spec.name))
  if (codeOf(absent) === NOT_FOUND) return null
  const refused = absent ?? (await attempt((channel) => channel.assertQueue(spec.name, spec.options)))
  if (refused === null) return null
  if (codeOf(refused) === PRECONDITION_FAILED) return judgeRefusal(spec, String((refused as Error).message))
  // Another process owns an exclusive queue, or this user may not look: neither can be worked with.
  const message = refused instanceof Error ? refused.message : String(refused)
  return finding(
    'queue-inaccessible',
    `queue ${spec.name} can't be used: ${message}`,
    'let the user configure, write and read our queues, and delete a queue that another connection holds exclusively',
  )
}

/** Publishes something nobody gets: only to who publishes the server tells of an alarm. */
const checkAlarm = async (connection: RabbitConnection, clock: Clock): Promise<Finding | null> => {
  const waiting = new AbortController()
  const late = clock.sleep(PROBE_TIMEOUT_MS, waiting.signal).catch(() => undefined)
  const blocked = new Promise<void>((resolve) => {
    connection.onState((state) => {
      if (state === 'blocked') resolve()
    })
  })
  let isConfirmed = false
  const probe = connection.withChannel(
    (channel) =>
      new Promise<void>((resolve, reject) => {
        channel.on('close', () => reject(new Error('the channel was closed')))
        channel.publish('', 'bourse.probe', Buffer.from('?'), {}, (error: Error | null) => {
          isConfirmed = error === null
          resolve()
        })
      }),
  )
  await Promise.race([probe.catch(() => undefined), blocked, late])
  waiting.abort()
  if (isConfirmed) return null
  const reason = connection.reason() ?? `no confirm within ${PROBE_TIMEOUT_MS} ms`
  return finding(
    'alarm',
    `the server takes no messages: ${reason}`,
    'give it memory (vm_memory_high_watermark) or free disk (disk_free_limit) until `rabbitmqctl status` shows no alarm',
  )
}

/** What the check needs. */
export interface RabbitMqCheck {
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  readonly prefix?: string
  readonly queueMax?: number
  /** Whose queues are looked at, beside the dead letters'. */
  readonly partitions?: readonly PartitionNumber[]
  readonly firstConnectMs?: number
}

/**
 * Looks at RabbitMQ before anything is entrusted to it: version, capabilities, alarms, and queues under our names that would lose
 * messages.
 * @throws PortError `unavailable` when it can't be reached
 */
export const checkRabbitMq = async (deps: RabbitMqCheck): Promise<readonly Finding[]> => {
  const { url, clock, logger, prefix = QUEUE_PREFIX, queueMax = PARTITION_QUEUE_MAX, partitions = [] } = deps
  const connection = await openRabbitConnection({
    url,
    clock,
    logger,
    name: `${prefix} check`,
    firstConnectMs: deps.firstConnectMs,
  })
  try {
    const version = connection.version()
    const found: (Finding | null)[] = [...judgeServer(version, connection.capabilities())]
    const queues = partitions.map((partition) => partitionQueue(prefix, partition, version, queueMax))
    for (const spec of [deadLetterQueue(prefix, version), ...queues]) found.push(await checkQueue(connection, spec))
    // Last: under an alarm this connection is of no use any more.
    found.push(await checkAlarm(connection, clock))
    return found.filter((one) => one !== null)
  } finally {
    await connection.close()
  }
}
