import type { ConfirmChannel, GetMessage } from 'amqplib'
import { partitionName, type PartitionNumber } from '../../kernel/partition.ts'
import type { BusMessage, DeadLetter } from '../../ports/bus.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { Keeper } from './channel-keeper.ts'
import type { RabbitConnection } from './connection.ts'
import { createPackWriter, decodeMessages, PackError } from './pack-codec.ts'
import { deadLetterQueue, type QueueSpec } from './topology.ts'

/** Dead letters one look may bring into memory. */
export const DEAD_LETTERS_LISTED_MAX = 10_000
/** Characters of a reason that are kept. */
export const REASON_CHARS_MAX = 1_000
/** How long the broker may take for one dead letter, ms. */
const ANSWER_TIMEOUT_MS = 10_000

/** How long letters that were looked at may take to be in the queue again, ms, and how often that is looked at. */
const GIVE_BACK_MS = 1_000
const GIVE_BACK_LOOK_MS = 5

const PARTITION_HEADER = 'bourse-partition'
const NAME_HEADER = 'bourse-partition-name'
const REASON_HEADER = 'bourse-reason'
const AT_HEADER = 'bourse-at-ms'

/** Where consumers put what can't be understood. */
export interface DeadLetterSink {
  /** Resolves when the broker has it for good. */
  add(letter: {
    readonly partition: PartitionNumber
    readonly reason: string
    readonly message: BusMessage
  }): Promise<void>
}

/** The queue of dead letters. */
export interface DeadLetters extends DeadLetterSink {
  list(limit: number): Promise<readonly DeadLetter[]>
  count(): Promise<number>
  /** Sends it to its partition again and takes it out; false when there is no such letter. */
  resend(id: string): Promise<boolean>
  close(): Promise<void>
}

/** What dead letters need. */
export interface DeadLettersDeps {
  readonly connection: RabbitConnection
  readonly producer: string
  readonly prefix: string
  readonly clock: Clock
  send(partition: PartitionNumber, message: BusMessage): Promise<void>
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** A letter out of its AMQP message. One that somebody else put there is shown as it is. */
const letterOf = ({ properties, content }: GetMessage): DeadLetter => {
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {}
  const head = {
    id: textOf(properties.messageId),
    partition: numberOf(headers[PARTITION_HEADER]),
    reason: textOf(headers[REASON_HEADER]),
    atMs: numberOf(headers[AT_HEADER]),
  }
  try {
    const { parts } = decodeMessages(content)
    return { ...head, message: parts[0]!.message }
  } catch (error) {
    if (!(error instanceof PackError)) throw error
    return { ...head, message: { type: 'command', body: new Uint8Array(content) } }
  }
}

/** Ids of one process are numbered. */
const compareIds = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true })

/** A driver's failure as ours; `unknown` because the broker may have done it. */
const failureOf = (error: unknown): PortError =>
  error instanceof PortError
    ? error
    : new PortError('unknown', `dead letters: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })

/** Makes the dead letters' channel. Looks are taken one after the other: a letter in one's hands is invisible to another. */
export const createDeadLetters = (deps: DeadLettersDeps): DeadLetters => {
  const { connection, clock } = deps
  const spec = (): QueueSpec => deadLetterQueue(deps.prefix, connection.version())
  let made = 0
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false
  let firstOpen: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (firstOpen = resolve))

  const keeper: Keeper = connection.keep({
    name: 'dead letters',
    onOpen: async (channel) => {
      const { name, options } = spec()
      await channel.assertQueue(name, options)
      setImmediate(firstOpen)
    },
    onLost: () => undefined,
  })

  const withinTime = async <Value>(task: Promise<Value>): Promise<Value> => {
    const waiting = new AbortController()
    const late = clock.sleep(ANSWER_TIMEOUT_MS, waiting.signal).then(
      () => {
        throw new PortError('unknown', `the broker did not answer within ${ANSWER_TIMEOUT_MS} ms`)
      },
      () => new Promise<never>(() => undefined),
    )
    try {
      return await Promise.race([task, late])
    } catch (error) {
      throw failureOf(error)
    } finally {
      waiting.abort()
    }
  }

  /** Whoever comes right after the opening waits for the channel; a lost one is not waited for. */
  const channelNow = async (): Promise<ConfirmChannel> => {
    if (!closed) await withinTime(opened)
    if (closed) throw new PortError('closed', 'the bus is closed')
    const channel = keeper.channel()
    if (channel === null || connection.state() !== 'connected') {
      throw new PortError('unavailable', 'RabbitMQ takes no messages right now')
    }
    return channel
  }

  const publish = (channel: ConfirmChannel, letter: Parameters<DeadLetterSink['add']>[0]): Promise<void> =>
    new Promise((resolve, reject) => {
      const writer = createPackWriter()
      writer.add(letter.message, 0)
      const messageId = `dead-${deps.producer}-${++made}`
      const onReturn = (message: { readonly properties: { readonly messageId?: unknown } }): void => {
        if (message.properties.messageId === messageId) isReturned = true
      }
      let isReturned = false
      channel.on('return', onReturn)
      const headers = {
        [PARTITION_HEADER]: letter.partition,
        [NAME_HEADER]: partitionName(letter.partition),
        [REASON_HEADER]: letter.reason.slice(0, REASON_CHARS_MAX),
        [AT_HEADER]: clock.nowMs(),
      }
      const options = { persistent: true, mandatory: true, messageId, headers }
      channel.publish('', spec().name, writer.seal(clock.nowMs()), options, (error: Error | null) => {
        channel.off('return', onReturn)
        if (isReturned) {
          keeper.renew() // Declares the queue again.
          reject(new PortError('unavailable', 'the queue of dead letters is missing'))
        } else if (error === null) resolve()
        else reject(failureOf(error))
      })
    })

  /** Runs looks one after the other; whatever they hold goes back before the next. */
  const inTurn = <Value>(look: (channel: ConfirmChannel) => Promise<Value>): Promise<Value> => {
    const run = async (): Promise<Value> => {
      const channel = await channelNow()
      try {
        return await withinTime(look(channel))
      } catch (error) {
        // A look that was given up may hold letters: with its channel they return.
        if (keeper.channel() === channel) keeper.renew()
        throw error
      }
    }
    const mine = turn.then(run)
    turn = mine.catch(() => undefined)
    return mine
  }

  /** Gives back what was looked at, and waits until it can be seen again: the next look, or count, would miss it. */
  const giveBack = async (channel: ConfirmChannel, letters: number): Promise<void> => {
    if (letters === 0) return
    channel.nackAll(true)
    const endMs = clock.monotonicMs() + GIVE_BACK_MS
    // The last look comes after the end of the time: a process that stood still for so long has not looked yet.
    for (let isLast = false; ; await clock.sleep(GIVE_BACK_LOOK_MS)) {
      const { messageCount } = await channel.checkQueue(spec().name)
      if (messageCount >= letters || isLast) return
      isLast = clock.monotonicMs() >= endMs
    }
  }

  const list = async (channel: ConfirmChannel, limit: number): Promise<readonly DeadLetter[]> => {
    const letters: DeadLetter[] = []
    while (letters.length < limit) {
      const message = await channel.get(spec().name, { noAck: false })
      if (message === false) break
      letters.push(letterOf(message))
    }
    await giveBack(channel, letters.length)
    // What was looked at returns behind what was not: age tells the order.
    return letters.sort((one, other) => one.atMs - other.atMs || compareIds(one.id, other.id))
  }

  const resend = async (channel: ConfirmChannel, id: string): Promise<boolean> => {
    let others = 0
    for (;;) {
      const message = await channel.get(spec().name, { noAck: false })
      if (message === false) break
      if (textOf(message.properties.messageId) !== id) {
        others += 1
        continue
      }
      const { partition, message: sent } = letterOf(message)
      if (partition === 0) {
        await giveBack(channel, others + 1)
        throw new PortError('corrupt', `dead letter ${id} names no partition: somebody else put it there`)
      }
      await deps.send(partition, sent)
      channel.ack(message)
      await giveBack(channel, others)
      return true
    }
    await giveBack(channel, others)
    return false
  }

  return {
    add: async (letter) => withinTime(publish(await channelNow(), letter)),
    list: async (limit) => {
      const most = Math.min(Math.max(0, limit), DEAD_LETTERS_LISTED_MAX)
      return inTurn((channel) => list(channel, most))
    },
    count: async () => {
      return inTurn(async (channel) => (await channel.checkQueue(spec().name)).messageCount)
    },
    resend: async (id) => inTurn((channel) => resend(channel, id)),
    close: async () => {
      closed = true
      firstOpen()
      await keeper.stop()
    },
  }
}
