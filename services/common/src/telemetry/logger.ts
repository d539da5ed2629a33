import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino'

/** Names of fields whose values never reach a log, wherever in the first three levels they stand. */
const SECRET_FIELDS = [
  'password',
  'passwordHash',
  'token',
  'secret',
  'jwtSecret',
  'adminToken',
  'apiKey',
  'webhookSecret',
  'authorization',
  'cookie',
  '["set-cookie"]',
  '["x-api-key"]',
  '["x-bourse-signature"]',
] as const

const under = (prefix: string, field: string): string =>
  field.startsWith('[') ? `${prefix}${field}` : `${prefix}.${field}`

/** Paths that pino replaces by `[redacted]`. */
export const redactedPaths: readonly string[] = SECRET_FIELDS.flatMap((field) => [
  field,
  under('*', field),
  under('*.*', field),
])

/** Where and how much to log. */
export interface LoggerOptions {
  readonly name: string
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  /** Default: standard error of the process, so that standard output stays the banner's and the commands'. */
  readonly destination?: DestinationStream
}

/** A JSON logger: ISO times, secrets redacted, errors with their stack. */
export const createLogger = ({ name, level, destination }: LoggerOptions): Logger =>
  pino(
    {
      name,
      level,
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: [...redactedPaths], censor: '[redacted]' },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  )

export type { Logger } from 'pino'
