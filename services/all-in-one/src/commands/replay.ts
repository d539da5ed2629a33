/**
 * `npm run replay`: plays a tape and trades through the WASM engine and its bigint reference side by side and
 * a ledger behind them. Exits 1 when the engines differ, the money is not right, or the input cannot be used.
 */
import { Command, InvalidArgumentError } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { ReplayInputError } from '../replay/input-error.ts'
import { replay } from '../replay/replay.ts'
import type { ReplayArguments } from '../replay/replay.ts'

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1
    if (value < least || value > most) throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
    return value
  }

const command = new Command('replay')
  .description('plays a tape and trades through the WASM engine and its reference side by side')
  .requiredOption(
    '--tape <file>',
    'CSV or CSV.gz: trade_id,price,qty,trade_time_ms,… or timestamp|Date,open,high,low,close,…',
  )
  .requiredOption('--pair <manifest>', 'the TradingPair manifest')
  .option('--trades <file>', 'CSV of trades to open: id,openAt,direction,margin,leverage,stopLoss,takeProfit')
  .option('--random <count>', 'instead: this many random trades', wholeNumber(1, 1 << 20))
  .option('--seed <seed>', 'what the random trades follow from', wholeNumber(0, 0xffff_ffff))
  .option('--out <file>', 'CSV to write: a row for each trade')
  .option('--json', 'the result as one JSON object on the last line', false)
  .parse()

try {
  const { text, ok } = await replay(command.opts<ReplayArguments>(), createSystemClock())
  process.stdout.write(text)
  process.exitCode = ok ? 0 : 1
} catch (error) {
  if (!(error instanceof ReplayInputError)) throw error
  process.stderr.write(`replay: ${error.message}\n`)
  process.exitCode = 1
}
