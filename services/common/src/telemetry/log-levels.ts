import type { Logger } from 'pino'

/** The levels, the gravest first; `silent` logs nothing. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
/** One of the levels. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The level of everything that a process logs; it may be changed while the process runs. */
export interface LogLevels {
  get(): LogLevel
  /** For the logger and for every child it has or will have, but for a child that was given a level of its own. */
  set(level: LogLevel): void
}

/**
 * The level of a logger and its children. A child has no level of its own unless it is given one: it looks at its parent's with
 * every line, so nothing has to be told to children, of which there is one for each partition and connection.
 */
export const levelsOf = (logger: Logger): LogLevels => ({
  get: () => logger.level as LogLevel,
  set: (level) => {
    logger.level = level
  },
})
