import {
  pino,
  stdTimeFunctions,
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
} from 'pino'
import type { LogLevel } from './log-levels.ts'
import { createRedactor, type Redactor } from './redaction.ts'

/** Where and how much to log. */
export interface LoggerOptions {
  readonly name: string
  readonly level: LogLevel
  /** Default: standard error of the process, so that standard output stays the banner's and the commands'. */
  readonly destination?: DestinationStream
  /** What takes the secrets out; default: one that knows secrets by their names and looks only. */
  readonly redactor?: Redactor
  /** Fields of what is going on where a line is logged: trace and span. A field of the line itself wins. */
  readonly context?: () => Readonly<Record<string, unknown>>
  /** Hears of every line that is written. */
  readonly onLine?: (level: LogLevel) => void
}

/** The arguments of a log call without secrets. What pino would take from an error by itself is taken here. */
const cleanArguments = (given: readonly unknown[], { text, value }: Redactor): unknown[] => {
  const [first, ...rest] = given
  const clean = rest.map((one) => (typeof one === 'string' ? text(one) : value(one)))
  if (typeof first === 'string') return [text(first), ...clean]
  if (first instanceof Error) return [{ err: value(first) }, ...(clean.length > 0 ? clean : [text(first.message)])]
  const error = (first as { readonly err?: unknown } | null | undefined)?.err
  if (clean.length === 0 && error instanceof Error) clean.push(text(error.message))
  return [value(first), ...clean]
}

/**
 * A JSON logger: ISO times, secrets redacted wherever they stand (fields, texts, errors and their causes, bindings of children),
 * errors with their stack. Children follow a changed level (see `levelsOf`).
 */
export const createLogger = (options: LoggerOptions): Logger => {
  const { name, level, destination, redactor = createRedactor(), context, onLine } = options
  const logger = pino(
    {
      name,
      level,
      timestamp: stdTimeFunctions.isoTime,
      // Errors are plain objects by then.
      serializers: { err: (error: unknown) => error },
      mixin: (_fields, number, { levels }) => {
        onLine?.(levels.labels[number] as LogLevel)
        return { ...context?.() }
      },
      hooks: {
        logMethod(given, method) {
          method.apply(this, cleanArguments(given, redactor) as Parameters<typeof method>)
        },
      },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  )
  // Bindings are turned to text when a child is made, before any line of it is seen.
  const { child, setBindings } = logger
  logger.child = function (this: Logger, bindings: Bindings, given?: ChildLoggerOptions) {
    return Reflect.apply(child, this, [redactor.value(bindings), given]) as Logger
  } as unknown as typeof child
  logger.setBindings = function (this: Logger, bindings: Bindings) {
    Reflect.apply(setBindings, this, [redactor.value(bindings)])
  }
  return logger
}

export type { Logger } from 'pino'
