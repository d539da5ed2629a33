import pino from 'pino'
import { openRabbitBus, type RabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { Bus } from '@bourse/common/ports/bus.ts'
import { encodeSpec } from '@bourse/risk-rules/trading/codec.ts'
import { marketSpec, PARTITION } from '../../../market.ts'
import { createTradingMix, OPEN_TRADES, type TradingMix } from '../../fsync/trading-load.ts'

/** How many commands travel in one AMQP message: as many as the bus finds together, or one. */
export type Packing = 'packed' | 'single'

/** Settings of the bus that turn packing off: a message each, and as many of them on their way as packs would hold. */
const SINGLE = { packCountMax: 1, packsUnconfirmedMax: 1_024 } as const

const DEADLINE_MS = 300_000
/** A machine that stands still for seconds loses no connection: what is measured would be the connecting. */
const HEARTBEAT_SECONDS = 60
/** While the market is filled: with packing off, more replies at once than the bus lets wait would be dropped. */
const FILL_WINDOW = 512

/** Opens the bus of one process. */
export const openBenchBus = (url: string, packing: Packing): Promise<RabbitBus> =>
  openRabbitBus({
    url,
    clock: createSystemClock(),
    logger: pino({ level: 'error' }, pino.destination(2)),
    heartbeatSeconds: HEARTBEAT_SECONDS,
    ...(packing === 'single' ? { packing: SINGLE } : null),
  })

/** Hears what became of something asked for: null when it is done. */
export type Answered = (error: Error | null) => void

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** Why an answer is not the one that every command here must get, or null. */
const faultOf = (status: string, outcome: Uint8Array): Error | null => {
  if (status !== 'ok') return new Error(`a command was answered ${status}`)
  if (outcome[4] === 0 && outcome[5] === 0) return null
  const { kind, code } = decodeOutcomeHeader(outcome)
  return new Error(`a command of kind ${kind} was refused with code ${code}`)
}

/** Orders a command at the trading partition, and insists that it is done. `answered` hears the bytes of the outcome. */
export const askCommand = (
  bus: Bus,
  body: Uint8Array,
  answered: (error: Error | null, outcomeBytes: number) => void,
): void => {
  bus.request(PARTITION, { type: 'command', body, deadlineMs: DEADLINE_MS }).then(
    (reply) => answered(faultOf(reply.status, reply.body), reply.body.length),
    (error: unknown) => answered(errorOf(error), 0),
  )
}

/** Keeps `window` of `count` things asked for until all are answered; the ms from the first to the last answer. */
export const closedLoop = (count: number, window: number, ask: (answered: Answered) => void): Promise<number> =>
  new Promise((resolve, reject) => {
    const startMs = performance.now()
    let asked = 0
    let answers = 0
    const answered: Answered = (error) => {
      if (error !== null) return reject(error)
      answers += 1
      if (answers === count) resolve(performance.now() - startMs)
      else if (asked < count) next()
    }
    const next = (): void => {
      asked += 1
      ask(answered)
    }
    while (asked < Math.min(count, window)) next()
  })

/** What went over the broker: commands of one AMQP message, and the mean bytes of it and of their outcomes in one. */
export interface Traffic {
  readonly perMessage: number
  readonly requestBytes: number
  readonly replyBytes: number
}

/** Bytes around each: of a pack, of a command in it, of an outcome in it. See `pack-codec.ts`. */
const ENVELOPE = { pack: 16, command: 40, outcome: 24 } as const

/** A market's commands over a bus. */
export interface Producer {
  readonly mix: TradingMix
  /** `count` commands of the mix, made before the time is taken, `window` of them on their way at a time; the ms it took. */
  orderMix(count: number, window: number): Promise<number>
  /** The mean of all that was sent since the market was filled. */
  traffic(): Traffic
}

/** Makes a producer and fills its market: spec and `OPEN_TRADES` open trades, packed in any case. */
export const startProducer = async (brokerUrl: string, bus: RabbitBus): Promise<Producer> => {
  const mix = createTradingMix()
  const sums = { commands: 0, commandBytes: 0, outcomeBytes: 0 }
  const order = (commands: readonly Uint8Array[], window: number, over: Bus = bus): Promise<number> => {
    let next = 0
    return closedLoop(commands.length, window, (answered) => {
      const command = commands[next++]!
      sums.commands += 1
      sums.commandBytes += command.length
      askCommand(over, command, (error, outcomeBytes) => {
        sums.outcomeBytes += outcomeBytes
        answered(error)
      })
    })
  }
  const filling = await openBenchBus(brokerUrl, 'packed')
  await order([encodeSpec(marketSpec, {})], 1, filling)
  await order(Array.from({ length: OPEN_TRADES }, mix.nextOpen), FILL_WINDOW, filling)
  await filling.close()
  const before = { ...sums, packs: bus.counts().commands.packs }
  return {
    mix,
    orderMix: (count, window) => order(Array.from({ length: count }, mix.next), window),
    traffic: () => {
      const commands = sums.commands - before.commands
      const perMessage = commands / (bus.counts().commands.packs - before.packs)
      const bytesOf = (bytes: number, envelope: number): number =>
        Math.round(ENVELOPE.pack + perMessage * (bytes / commands + envelope))
      return {
        perMessage,
        requestBytes: bytesOf(sums.commandBytes - before.commandBytes, ENVELOPE.command),
        replyBytes: bytesOf(sums.outcomeBytes - before.outcomeBytes, ENVELOPE.outcome),
      }
    },
  }
}
