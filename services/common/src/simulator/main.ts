/**
 * What the mains of both simulators share: settings from the environment, start, a line that says where,
 * SIGTERM.
 */
import { pino, type Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import type { Simulator } from './service.ts'

/** What a simulator is started with. */
export interface SimulatorStart {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * A simulator's main: its name in the log, the variable of its port and the port without it, how it starts.
 */
export interface SimulatorMain {
  readonly name: string
  readonly portVariable: string
  readonly portDefault: number
  readonly clock: Clock
  start(options: SimulatorStart): Promise<Simulator>
}

const portOf = (text: string, variable: string): number => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new Error(`${variable} is '${text}'; set a port from 0 (any free one) to 65535`)
  return port
}

/**
 * Runs a simulator until SIGTERM or SIGINT, or until a parent that listens is gone. Reads `BOURSE_HOST` (127.0.0.1),
 * `BOURSE_DATA_DIR` (.bourse) and the port from `portVariable`. Logs JSON lines; the first says `listening` with its URL.
 * @throws when a setting is wrong or the simulator cannot start
 */
export const runSimulator = async ({ name, portVariable, portDefault, clock, start }: SimulatorMain): Promise<void> => {
  const { env } = process
  const logger = pino({ name })
  const simulator = await start({
    host: env['BOURSE_HOST'] ?? '127.0.0.1',
    port: portOf(env[portVariable] ?? String(portDefault), portVariable),
    dataDir: env['BOURSE_DATA_DIR'] ?? '.bourse',
    logger,
    clock,
  })
  logger.info({ url: simulator.url }, 'listening')
  const stop = (): void => {
    simulator.stop().then(
      () => {
        logger.info('stopped')
      },
      (error: unknown) => {
        logger.error({ err: error }, 'did not stop cleanly')
        process.exitCode = 1
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  if (process.send === undefined) return
  // A parent that listens is told where we are; when it is gone nobody needs us.
  process.once('disconnect', stop)
  // Waiting for that is no reason to go on once we have stopped.
  process.channel?.unref()
  if (process.connected) process.send({ kind: 'ready', url: simulator.url })
}
