import { readFile, stat } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { AmountError, parseAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { readTapeTime } from '@bourse/market/tape/tape-time.ts'
import { directions, LEVERAGE_MAX } from '@bourse/risk-rules/trading/codec.ts'
import type { DirectionName } from '@bourse/risk-rules/trading/codec.ts'
import { faultOfFile, ReplayInputError } from './input-error.ts'
import { replayAccount, REQUESTED_TRADES_MAX } from './requested-trade.ts'
import type { RequestedTrade } from './requested-trade.ts'

/** Columns of a trade file, in any order and case. */
export const TRADE_COLUMNS = ['id', 'openAt', 'direction', 'margin', 'leverage', 'stopLoss', 'takeProfit'] as const
/** Largest trade file, bytes. */
export const TRADE_FILE_BYTES_MAX = 268_435_456
const ID_LENGTH_MAX = 64
/** Amounts of the engine's commands are 64 bits wide. */
const MARGIN_MAX_UNITS = (1n << 63n) - 1n

type Column = (typeof TRADE_COLUMNS)[number]
type Row = { readonly line: number; readonly field: (column: Column) => string }

const bad = ({ line }: { readonly line: number }, message: string): ReplayInputError =>
  new ReplayInputError(`line ${line}: ${message}`)

const amountOf = (row: Row, column: Column): Units => {
  const text = row.field(column)
  let units: Units
  try {
    units = parseAmount(text)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    throw bad(row, `${column}: ${error.message}`)
  }
  if (units <= 0n || units > MARGIN_MAX_UNITS)
    throw bad(row, `${column} is ${text}; it is above 0 and at most 92 thousand million`)
  return units
}

const optionalAmountOf = (row: Row, column: Column): Units => (row.field(column) === '' ? 0n : amountOf(row, column))

const openAtOf = (row: Row): number => {
  const text = row.field('openAt')
  const timeMs = readTapeTime(text)
  if (timeMs === undefined) throw bad(row, `openAt '${text.slice(0, 40)}' is not ISO 8601 or epoch ms`)
  return timeMs
}

const directionOf = (row: Row): DirectionName => {
  const text = row.field('direction').toUpperCase()
  if (!Object.hasOwn(directions, text)) throw bad(row, `direction '${text.slice(0, 40)}' is neither LONG nor SHORT`)
  return text as DirectionName
}

/**
 * Any whole number from 1 goes to the engine, which knows what is too high; only what its command cannot say
 * is refused here.
 */
const leverageOf = (row: Row): number => {
  const text = row.field('leverage')
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw bad(row, `leverage '${text.slice(0, 40)}' is not a whole number from 1, such as ${LEVERAGE_MAX / 100}`)
  return Number(text)
}

const tradeOf = (row: Row): RequestedTrade => {
  const id = row.field('id')
  if (id === '' || id.length > ID_LENGTH_MAX)
    throw bad(row, `id has ${id.length} characters; it has 1 to ${ID_LENGTH_MAX}`)
  return {
    id,
    openAtMs: openAtOf(row),
    account: replayAccount(0),
    direction: directionOf(row),
    margin: amountOf(row, 'margin'),
    leverage: leverageOf(row),
    stopLoss: optionalAmountOf(row, 'stopLoss'),
    takeProfit: optionalAmountOf(row, 'takeProfit'),
  }
}

const positionsOf = (header: readonly string[]): ReadonlyMap<Column, number> => {
  const names = header.map((name) => name.toLowerCase())
  const missing = TRADE_COLUMNS.filter((column) => !names.includes(column.toLowerCase()))
  if (missing.length > 0)
    throw bad({ line: 1 }, `the header lacks ${missing.join(', ')}; it is ${TRADE_COLUMNS.join(',')}`)
  return new Map(TRADE_COLUMNS.map((column) => [column, names.indexOf(column.toLowerCase())]))
}

interface Parsed {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

/**
 * The trades of a file's text, in its order, all of one account.
 * @throws {ReplayInputError} naming the first bad line
 */
export const parseTrades = (text: string): RequestedTrade[] => {
  const options = {
    bom: true,
    trim: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: 65_536,
  } as const
  const [header, ...rows] = parse(text, options) as unknown as Parsed[]
  if (header === undefined) throw bad({ line: 1 }, `the file is empty; its header is ${TRADE_COLUMNS.join(',')}`)
  if (rows.length > REQUESTED_TRADES_MAX)
    throw new ReplayInputError(`${rows.length} trades; at most ${REQUESTED_TRADES_MAX}`)
  const positions = positionsOf(header.record)
  const linesById = new Map<string, number>()
  return rows.map(({ record, info: { lines: line } }) => {
    const trade = tradeOf({ line, field: (column) => record[positions.get(column)!]! })
    const before = linesById.get(trade.id)
    if (before !== undefined)
      throw bad({ line }, `id '${trade.id}' is that of line ${before} too; every trade has its own`)
    linesById.set(trade.id, line)
    return trade
  })
}

/**
 * Reads a trade file: CSV with the columns `id,openAt,direction,margin,leverage,stopLoss,takeProfit`.
 * @throws {ReplayInputError} naming the file and the first bad line
 */
export const readTradeFile = async (file: string): Promise<RequestedTrade[]> => {
  try {
    const { size } = await stat(file)
    if (size > TRADE_FILE_BYTES_MAX) throw new ReplayInputError(`has ${size} bytes; at most ${TRADE_FILE_BYTES_MAX}`)
    return parseTrades(await readFile(file, 'utf8'))
  } catch (error) {
    throw faultOfFile(file, error, (known) => known instanceof CsvError || known instanceof ReplayInputError)
  }
}
