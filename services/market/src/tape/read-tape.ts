import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import type { Parser } from 'csv-parse'
import { AmountError, parseAmount, parseJsonNumber } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { PRICE_MAX_UNITS } from '../normaliser.ts'
import { readTapeTime } from './tape-time.ts'

/** One moment of a tape. Its one price is bid, ask and last. */
export interface TapeTick {
  readonly timeMs: number
  readonly feedBid: Units
  readonly feedAsk: Units
  readonly last: Units
}

/** What is wrong with a tape; the message names the file's line. */
export class TapeError extends Error {
  override readonly name = 'TapeError'
}

/** How long the bar of a tape with a single bar lasts: there is none before it to go by. */
export const SINGLE_BAR_MS = 60_000
const RECORD_BYTES_MAX = 65_536
const QUARTERS = 4

type Row = { readonly line: number; readonly fields: readonly string[] }
type Columns = ReadonlyMap<string, number>

interface Bar {
  readonly startMs: number
  readonly open: Units
  readonly high: Units
  readonly low: Units
  readonly close: Units
}

const tick = (timeMs: number, price: Units): TapeTick => ({ timeMs, feedBid: price, feedAsk: price, last: price })

const fieldOf = ({ line, fields }: Row, columns: Columns, name: string): string => {
  const text = fields[columns.get(name) ?? -1]
  if (text === undefined || text === '') throw new TapeError(`line ${line}: ${name} is empty`)
  return text
}

const priceOf = (row: Row, columns: Columns, name: string): Units => {
  const text = fieldOf(row, columns, name)
  let price: Units
  try {
    price = /e/i.test(text) ? parseJsonNumber(text) : parseAmount(text)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    throw new TapeError(`line ${row.line}: ${name}: ${error.message}`)
  }
  if (price <= 0n || price > PRICE_MAX_UNITS) {
    throw new TapeError(`line ${row.line}: ${name} is ${text}; a price is above 0 and at most 1000000000`)
  }
  return price
}

const timeOf = (row: Row, columns: Columns, name: string): number => {
  const text = fieldOf(row, columns, name)
  const timeMs = readTapeTime(text)
  if (timeMs === undefined) {
    throw new TapeError(`line ${row.line}: ${name} '${text.slice(0, 40)}' is not ISO, epoch s or epoch ms`)
  }
  return timeMs
}

const millisecondsOf = (row: Row, columns: Columns): number => {
  const text = fieldOf(row, columns, 'trade_time_ms')
  if (!/^\d{1,14}$/.test(text))
    throw new TapeError(`line ${row.line}: trade_time_ms '${text.slice(0, 40)}' is not epoch ms`)
  return Number(text)
}

/** A row per trade: its time and price. Times may repeat, not go back. */
async function* tradeTicks(rows: AsyncIterable<Row>, columns: Columns): AsyncGenerator<TapeTick> {
  let lastMs = Number.NEGATIVE_INFINITY
  for await (const row of rows) {
    const timeMs = millisecondsOf(row, columns)
    if (timeMs < lastMs) throw new TapeError(`line ${row.line}: the time goes back; sort the tape by time`)
    lastMs = timeMs
    yield tick(timeMs, priceOf(row, columns, 'price'))
  }
}

const barOf = (row: Row, columns: Columns, timeColumn: string): Bar => {
  const bar = {
    startMs: timeOf(row, columns, timeColumn),
    open: priceOf(row, columns, 'open'),
    high: priceOf(row, columns, 'high'),
    low: priceOf(row, columns, 'low'),
    close: priceOf(row, columns, 'close'),
  }
  if (bar.low > bar.high) throw new TapeError(`line ${row.line}: low is above high`)
  return bar
}

/** Four ticks at start + floor(k·length/4): open, low, high, close when close ≥ open, else open, high, low, close. */
const ticksOfBar = ({ startMs, open, high, low, close }: Bar, lengthMs: number): TapeTick[] => {
  const prices = close >= open ? [open, low, high, close] : [open, high, low, close]
  return prices.map((price, quarter) => tick(startMs + Math.floor((quarter * lengthMs) / QUARTERS), price))
}

/** A row per bar, which lasts until the next row's time; the last one as long as the one before it. */
async function* barTicks(rows: AsyncIterable<Row>, columns: Columns, timeColumn: string): AsyncGenerator<TapeTick> {
  let before: Bar | undefined
  let lengthMs = SINGLE_BAR_MS
  for await (const row of rows) {
    const bar = barOf(row, columns, timeColumn)
    if (before !== undefined) {
      lengthMs = bar.startMs - before.startMs
      if (lengthMs <= 0)
        throw new TapeError(`line ${row.line}: the time does not rise; sort the tape and drop repeated bars`)
      yield* ticksOfBar(before, lengthMs)
    }
    before = bar
  }
  if (before !== undefined) yield* ticksOfBar(before, lengthMs)
}

const isGzip = async (path: string): Promise<boolean> => {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

/** The records of a file, gzip or plain by its first bytes. An error of any stage ends the iteration with it. */
const openRecords = async (path: string): Promise<Parser> => {
  const parser = parse({
    bom: true,
    trim: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: false,
    max_record_size: RECORD_BYTES_MAX,
  })
  const onEnd = (error: Error | null | undefined): void => {
    if (error !== null && error !== undefined) parser.destroy(error)
  }
  if (await isGzip(path)) pipeline(createReadStream(path), createGunzip(), parser, onEnd)
  else pipeline(createReadStream(path), parser, onEnd)
  return parser
}

async function* rowsOf(parser: Parser): AsyncGenerator<Row> {
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { line: info.lines, fields: record }
    }
  } catch (error) {
    // What the CSV parser says names its line already; it becomes the tape's error so that callers know one kind.
    throw new TapeError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const columnsOf = (fields: readonly string[]): Columns =>
  new Map(fields.map((field, index) => [field.toLowerCase(), index]))

const ticksByHeader = (header: readonly string[], rows: AsyncIterable<Row>): AsyncGenerator<TapeTick> => {
  const columns = columnsOf(header)
  const hasAll = (...names: string[]): boolean => names.every((name) => columns.has(name))
  if (hasAll('trade_id', 'price', 'qty', 'trade_time_ms')) return tradeTicks(rows, columns)
  const timeColumn = columns.has('timestamp') ? 'timestamp' : 'date'
  if (hasAll(timeColumn, 'open', 'high', 'low', 'close')) return barTicks(rows, columns, timeColumn)
  throw new TapeError(
    `line 1: the header '${header.join(',').slice(0, 80)}' is not that of a tape; it has trade_id,price,qty,trade_time_ms or ` +
      'timestamp (or Date),open,high,low,close',
  )
}

/**
 * Streams the ticks of a tape in memory of one row. A tape is CSV or CSV.gz, known by its header:
 * `trade_id,price,qty,trade_time_ms,…` or bars `timestamp|Date,open,high,low,close,…` (any case; further
 * columns are passed over).
 * @throws {TapeError} naming the line of the first bad row, or saying that the tape has none.
 */
export async function* readTape(path: string): AsyncGenerator<TapeTick> {
  const parser = await openRecords(path)
  try {
    const rows = rowsOf(parser)
    const header = await rows.next()
    if (header.done === true) throw new TapeError('the tape is empty; give it a header and rows')
    let count = 0
    for await (const next of ticksByHeader(header.value.fields, rows)) {
      count += 1
      yield next
    }
    if (count === 0) throw new TapeError('the tape has a header but no rows')
  } finally {
    parser.destroy()
  }
}
