/**
 * Runs the buy script against a core: `node services/mock-bank/src/drive-buy.ts --url URL --api-key KEY`.
 * Prints one line per step; exits 1 when something is not as expected.
 */
import { Command } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { driveBuy } from './script.ts'

interface Arguments {
  readonly url: string
  readonly apiKey: string
  readonly user?: string
  readonly amount: string
  readonly currency: string
}

const command = new Command('drive-buy')
  .description("drives a whole buy as a bank's back end would")
  .option('--url <url>', 'the core', 'http://127.0.0.1:3000')
  .requiredOption('--api-key <key>', "the bank's API key", process.env['BOURSE_BANK_DEMO_API_KEY'])
  .option('--user <bankUserId>', 'the customer (default: a new one)')
  .option('--amount <amount>', 'fiat to deposit and spend', '100.00')
  .option('--currency <currency>', 'its currency', 'AZN')
  .parse()

const { url, apiKey, user, amount, currency } = command.opts<Arguments>()
const steps = await driveBuy({
  coreUrl: url,
  apiKey,
  amount,
  currency,
  fetch,
  clock: createSystemClock(),
  ids: createSystemIds(),
  ...(user === undefined ? {} : { bankUserId: user }),
})
for (const { name, ok, detail } of steps) {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${detail}\n`)
}
process.exitCode = steps.every((step) => step.ok) ? 0 : 1
