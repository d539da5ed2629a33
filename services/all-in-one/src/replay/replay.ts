import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { formatFault, loadManifests } from '@bourse/common/resources/load.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { faultOfFile, ReplayInputError } from './input-error.ts'
import { randomTrades } from './random-trades.ts'
import { summaryOf, textOf } from './report.ts'
import type { RequestedTrade } from './requested-trade.ts'
import { csvOf } from './rows.ts'
import { realEngines } from './partitions.ts'
import type { EngineFactories } from './partitions.ts'
import { runReplay } from './run.ts'
import { loadTape } from './tape.ts'
import type { ReplayTape } from './tape.ts'
import { readTradeFile } from './trade-file.ts'

/** The command line's options. */
export interface ReplayArguments {
  readonly tape: string
  readonly pair: string
  readonly trades?: string
  readonly random?: number
  readonly seed?: number
  readonly out?: string
  readonly json: boolean
}

const pairOf = async (file: string): Promise<TradingPair> => {
  const loaded = await loadManifests(file)
  if (!loaded.ok) throw new ReplayInputError(loaded.faults.map(formatFault).join('\n'))
  const [pair, ...others] = loaded.manifests.pairs
  if (pair === undefined || others.length > 0) {
    throw new ReplayInputError(`${file}: has ${loaded.manifests.pairs.length} trading pairs; name a manifest with one`)
  }
  return pair
}

const checkOptions = ({ trades, random, seed }: ReplayArguments): void => {
  if (trades !== undefined && random !== undefined)
    throw new ReplayInputError('--trades and --random exclude each other; give one of them')
  if ((random === undefined) !== (seed === undefined))
    throw new ReplayInputError('--random and --seed go together; give both')
}

/** A long replay must not find out at its end that its rows have nowhere to go. */
const checkOut = async (file: string): Promise<void> => {
  try {
    await access(dirname(file), constants.W_OK)
  } catch (error) {
    throw faultOfFile(file, error)
  }
}

const tradesOf = async (
  { trades, random, seed }: ReplayArguments,
  tape: ReplayTape,
  pair: TradingPair,
): Promise<RequestedTrade[]> => {
  if (trades !== undefined) return readTradeFile(trades)
  return random === undefined || seed === undefined ? [] : randomTrades(tape, pair.spec, random, seed)
}

const writeRows = async (file: string, csv: string): Promise<void> => {
  try {
    await writeFile(file, csv)
  } catch (error) {
    throw faultOfFile(file, error)
  }
}

/**
 * The whole command: reads its files, runs the replay, writes the rows (not after a difference: they would be
 * an engine's word against the other's). Answers what to print, and whether the engines agreed and the money
 * is right.
 * @throws {ReplayInputError} when the options or files cannot be used
 */
export const replay = async (
  options: ReplayArguments,
  clock: Clock,
  engines: () => EngineFactories = realEngines,
): Promise<{ readonly text: string; readonly ok: boolean }> => {
  checkOptions(options)
  if (options.out !== undefined) await checkOut(options.out)
  const pair = await pairOf(options.pair)
  const { symbol, prices } = pair.spec
  const tape = await loadTape(options.tape, { symbol, maxJumpBps: prices.maxJumpBps })
  const trades = await tradesOf(options, tape, pair)
  const result = runReplay({ spec: pair.spec, tape, trades, clock, engines: engines() })
  const summary = summaryOf(result, tape.refused)
  if (options.out !== undefined && result.difference === null) await writeRows(options.out, csvOf(result.rows))
  const json = options.json ? `${JSON.stringify(summary)}\n` : ''
  return { text: textOf(summary) + json, ok: summary.ok }
}
