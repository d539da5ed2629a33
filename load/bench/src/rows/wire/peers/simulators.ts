/**
 * The outside world of `wire/bank`: the exchange and the bank simulator in a process of their own. `SIMULATORS_FOLDER` holds
 * what they keep, `WEBHOOK_SECRET` is what the bank checks webhooks with. Says `ready` and where both are.
 */
import pino from 'pino'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { startMockBank } from '@bourse/mock-bank/service.ts'
import { startMockExchange } from '@bourse/mock-exchange/service.ts'

const shared = {
  host: '127.0.0.1',
  port: 0,
  dataDir: process.env['SIMULATORS_FOLDER'] ?? '',
  logger: pino({ level: 'warn' }),
  clock: createSystemClock(),
}
const exchange = await startMockExchange(shared)
const bank = await startMockBank({ ...shared, webhookSecrets: [process.env['WEBHOOK_SECRET'] ?? ''] })
process.on('SIGTERM', () => {
  void Promise.all([exchange.stop(), bank.stop()]).then(() => {
    process.exit(0)
  })
})
process.stdout.write(`ready on ${exchange.url} and ${bank.url}\n`)
