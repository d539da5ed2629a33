/**
 * `npm run demo`: the bank's and the trader's way through the public API of a running platform, as tables.
 * Exits 1 when anything is not as expected.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Table from 'cli-table3'
import { Command } from 'commander'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { runBankFlow } from '../demo/bank-flow.ts'
import type { DemoStep } from '../demo/step.ts'
import { runTraderFlow } from '../demo/trader-flow.ts'

interface Arguments {
  readonly url: string
  readonly exchangeUrl: string
  readonly dataDir: string
  readonly apiKey?: string
}

const portOf = (name: string, otherwise: number): string => process.env[name] ?? String(otherwise)

const options = new Command('demo')
  .description('drives the bank and trader flows of a running platform')
  .option('--url <url>', 'the platform', `http://127.0.0.1:${portOf('BOURSE_PORT', 3000)}`)
  .option('--exchange-url <url>', 'the mock exchange', `http://127.0.0.1:${portOf('BOURSE_MOCK_EXCHANGE_PORT', 3001)}`)
  .option(
    '--data-dir <folder>',
    'where the development profile keeps its secrets',
    process.env['BOURSE_DATA_DIR'] ?? '.bourse',
  )
  .option('--api-key <key>', "the demo bank's API key", process.env['BOURSE_BANK_DEMO_API_KEY'])
  .parse()
  .opts<Arguments>()

const ids = createSystemIds()

const keyOf = async ({ apiKey, dataDir }: Arguments): Promise<string> => {
  if (apiKey !== undefined) return apiKey
  return (await readFile(join(dataDir, 'secrets', 'bank-demo-api-key'), 'utf8')).trim()
}

const print = (steps: readonly DemoStep[]): void => {
  for (const step of steps) if (step.answer !== undefined) process.stdout.write(`${step.name}: ${step.answer}\n`)
  const table = new Table({
    head: ['flow', 'step', 'got', ''],
    wordWrap: true,
    colWidths: [9, 42, 60, 8],
    style: { head: [], border: [] },
  })
  for (const step of steps) {
    const got = step.ok ? step.got : `${step.got}\nexpected ${step.expected}`
    table.push([step.flow, step.name, got, step.ok ? 'ok' : 'FAILED'])
  }
  process.stdout.write(`${table.toString()}\n`)
}

const bank = await runBankFlow({ core: options.url, exchange: options.exchangeUrl }, await keyOf(options), ids)
print(bank)
const trader = await runTraderFlow({ core: options.url }, ids)
print(trader)
const failed = [...bank, ...trader].filter((step) => !step.ok).length
process.stdout.write(`${bank.length + trader.length - failed} as expected, ${failed} not\n`)
process.exitCode = failed === 0 ? 0 : 1
