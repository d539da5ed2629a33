import type Router from '@koa/router'
import { Ajv } from 'ajv'
import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import { LOG_LEVELS, type LogLevel, type LogLevels } from '../telemetry/log-levels.ts'
import { ControlError, readControlBody } from './control-answers.ts'

/** Longest time that a level may be set for, s. */
export const LOG_LEVEL_SECONDS_MAX = 3_600

/** What the level's questions need. */
export interface LogLevelDeps {
  readonly levels: LogLevels
  readonly clock: Clock
  readonly logger: Logger
}

interface LevelBody {
  readonly level: LogLevel
  readonly forSeconds?: number
}

const levelSchema = {
  type: 'object',
  properties: {
    level: { enum: LOG_LEVELS },
    forSeconds: { type: 'integer', minimum: 1, maximum: LOG_LEVEL_SECONDS_MAX },
  },
  required: ['level'],
  additionalProperties: false,
} as const

const REMEDY = `send {"level": one of ${LOG_LEVELS.join(', ')}, "forSeconds": 1 to ${LOG_LEVEL_SECONDS_MAX} if it is to return}`

/** A level for a time: what it returns to, and when. */
interface Borrowed {
  readonly returnsTo: LogLevel
  readonly returnsAtMs: number
  readonly over: AbortController
}

/**
 * `GET` and `PUT /control/log-level`. A level for a time returns to the one that was set for good, also when another was set for
 * a time before it; a process that ends forgets both.
 */
export const routeLogLevel = (router: Router, { levels, clock, logger }: LogLevelDeps): void => {
  const validate = new Ajv({ strict: true }).compile<LevelBody>(levelSchema)
  let borrowed: Borrowed | null = null
  const shown = () => ({
    level: levels.get(),
    returnsTo: borrowed?.returnsTo ?? null,
    returnsAt: borrowed === null ? null : new Date(borrowed.returnsAtMs).toISOString(),
  })
  /** Told while one of the two levels shows it: who looks for lines that are missing has to find it. */
  const put = (level: LogLevel, what: string, forSeconds?: number): void => {
    // Not `level`: that is what the line itself has.
    const fields = { logLevel: level, logLevelBefore: levels.get(), forSeconds }
    const isTold = logger.isLevelEnabled('warn')
    if (isTold) logger.warn(fields, what)
    levels.set(level)
    if (!isTold) logger.warn(fields, what)
  }
  const giveBack = (loan: Borrowed): void => {
    if (borrowed !== loan) return
    borrowed = null
    put(loan.returnsTo, 'the log level returned')
  }
  const change = ({ level, forSeconds }: LevelBody): void => {
    const returnsTo = borrowed?.returnsTo ?? levels.get()
    borrowed?.over.abort()
    borrowed = null
    put(level, 'the log level was changed', forSeconds)
    if (forSeconds !== undefined) {
      const over = new AbortController()
      const loan: Borrowed = { returnsTo, returnsAtMs: clock.nowMs() + forSeconds * 1_000, over }
      borrowed = loan
      clock.sleep(forSeconds * 1_000, over.signal).then(
        () => giveBack(loan),
        // Another level took its place.
        () => undefined,
      )
    }
  }
  router.get('/control/log-level', (context) => void (context.body = shown()))
  router.put('/control/log-level', async (context) => {
    const body = await readControlBody(context.req)
    if (!validate(body)) {
      const [fault] = validate.errors ?? []
      const what = `body${fault?.instancePath ?? ''} ${fault?.message ?? 'is wrong'}`
      throw new ControlError('INVALID_REQUEST', `${what}; ${REMEDY}`)
    }
    change(body)
    context.body = shown()
  })
}
