/** A process with a telemetry door whose token is its argument: tells on standard output where, ends with its standard input. */
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { createSystemClock } from '../../src/adapters/system/clock.ts'
import { createSecret } from '../../src/config/secret.ts'
import { startHealthServer } from '../../src/process/health-server.ts'

const { url } = await startHealthServer({
  host: '127.0.0.1',
  port: 0,
  token: createSecret(process.argv[2]!),
  health: () => ({ ready: true, reasons: [] }),
  metrics: { expose: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }) },
  levels: { get: () => 'silent', set: () => undefined },
  clock: createSystemClock(),
  logger: pino({ level: 'silent' }),
})
process.stdin.once('end', () => process.exit()).resume()
writeSync(1, `${url}\n`)
