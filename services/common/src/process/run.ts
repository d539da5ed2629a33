import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { createSystemClock, monotonicOriginMs } from '../adapters/system/clock.ts'
import { createSystemRandom } from '../adapters/system/random.ts'
import { readConfig, type Config } from '../config/read.ts'
import type { ProgramName } from '../config/variables.ts'
import type { Clock } from '../ports/clock.ts'
import type { Tracer } from '../ports/tracing.ts'
import { levelsOf, type LogLevels } from '../telemetry/log-levels.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createRedactor, type Redactor } from '../telemetry/redaction.ts'
import { createActiveContext } from '../telemetry/tracing/active-context.ts'
import { startTracing } from '../telemetry/tracing/start-tracing.ts'
import { createLifetime, type Lifetime } from './lifetime.ts'
import { createProcessMetrics } from './process-metrics.ts'
import { StartRefused } from './start-refused.ts'

/** A stop that takes longer is ended hard; everything acknowledged is journaled anyway. */
export const STOP_DEADLINE_MS = 30_000

/** What a program starts with. */
export interface ProgramContext {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  /** The level of everything that is logged here. */
  readonly levels: LogLevels
  /** The registry of the process, with what it is and how many lines it logged already in it. */
  readonly metrics: Metrics
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined
  /** What was started registers here how it is stopped. */
  readonly lifetime: Lifetime
}

/** A program that serves. */
export interface StartedProgram {
  /** Printed to standard output before `ready in N ms`, a line each. */
  readonly banner: readonly string[]
  /** Where others reach its service, or its health where it has none; told to a parent that listens. */
  readonly url: string
  /** Where its health, metrics and control are, if not at `url`; told to that parent too. */
  readonly telemetryUrl?: string
}

/** What a started program tells the process that started it, if that one listens. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly url: string
  readonly telemetryUrl: string
}

/** One program: its name in the configuration and in the log, and how it starts. */
export interface Program {
  readonly program: ProgramName
  /** Its name in the log. */
  readonly name: string
  /** As in `The gateway can not start:`. */
  readonly title: string
  start(context: ProgramContext): Promise<StartedProgram>
}

const fail = (lines: readonly string[]): never => {
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exit(1)
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const started = async (program: Program, context: ProgramContext, redactor: Redactor): Promise<StartedProgram> => {
  try {
    return await program.start(context)
  } catch (error) {
    await context.lifetime.stop()
    if (error instanceof StartRefused)
      return fail([`${program.title} can not start:`, ...error.faults.map((fault) => `  ${redactor.text(fault)}`)])
    context.logger.fatal({ err: error }, `${program.title} can not start`)
    return fail([`${program.title} can not start: ${redactor.text(messageOf(error))}`])
  }
}

/** The log and the traces of the process, which look at the same trace context. */
const startRecords = async ({ program, name }: Program, config: Config, clock: Clock, lifetime: Lifetime) => {
  const redactor = createRedactor(config.secretTexts())
  const active = createActiveContext()
  const { metrics, onLine } = createProcessMetrics(program)
  const logger = createLogger({ name, level: config.logLevel, redactor, context: active.logFields, onLine })
  const tracing = await startTracing({
    settings: config.traces,
    service: `bourse-${program}`,
    instance: config.cluster.shardName ?? config.cluster.podName ?? hostname(),
    active,
    clock,
    random: createSystemRandom(),
    monotonicOriginMs: monotonicOriginMs(),
    logger,
  })
  lifetime.onStop(tracing.stop)
  return { redactor, logger, metrics, tracer: tracing.tracer ?? undefined }
}

/** What nobody caught ends the process, as ever; but what Node would print of it by itself may hold a secret. */
const endOnBugs = ({ title }: Program, logger: Logger, redactor: Redactor): void => {
  process.once('uncaughtException', (error: unknown) => {
    logger.fatal({ err: error }, `${title} broke: nobody expected this error`)
    fail([`${title} broke: ${redactor.text(messageOf(error))}`])
  })
}

const stopInOrder = async ({ lifetime, clock }: ProgramContext): Promise<void> => {
  const over = new AbortController()
  clock.sleep(STOP_DEADLINE_MS, over.signal).then(
    () => fail([`not stopped within ${STOP_DEADLINE_MS} ms`]),
    () => undefined,
  )
  await lifetime.stop()
  over.abort()
  process.exit(0)
}

/**
 * Runs a program until SIGTERM or SIGINT, or until the process that started it and listens is gone; then it stops in order and
 * exits 0. Prints its banner and `ready in N ms`; a start that is refused, and an error that nobody caught, say why on standard
 * error and exit 1.
 */
export const runProgram = async (program: Program): Promise<void> => {
  const read = readConfig(process.env, program.program)
  if ('faults' in read) return fail(['The configuration can not be used:', ...read.faults.map((fault) => `  ${fault}`)])
  const { config } = read
  const clock = createSystemClock()
  const lifetime = createLifetime()
  const { redactor, ...records } = await startRecords(program, config, clock, lifetime)
  endOnBugs(program, records.logger, redactor)
  const context = { config, clock, ...records, levels: levelsOf(records.logger), lifetime }
  const { banner, url, telemetryUrl = url } = await started(program, context, redactor)
  for (const line of banner) process.stdout.write(`${line}\n`)
  // The monotonic clock begins with the process.
  process.stdout.write(`ready in ${Math.round(clock.monotonicMs())} ms\n`)

  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    stopInOrder(context).catch((error: unknown) => fail([`the stop failed: ${redactor.text(messageOf(error))}`]))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.send === undefined) return
  process.once('disconnect', stop)
  if (process.connected) process.send({ kind: 'ready', url, telemetryUrl } satisfies ReadyMessage)
  else stop()
}
