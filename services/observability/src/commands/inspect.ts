/**
 * `npm run inspect -- journal PARTITION | command NAME | trade TRADE_ID`: reads a platform's journal, also while it runs, and
 * changes nothing. A data folder (--data-dir) or MongoDB (--mongodb). Exits 1 when nothing was found, a trade's numbers do not
 * agree, or the journal can not be read on (the message names the record), 2 when what was asked makes no sense.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { RecordError } from '@bourse/common/kernel/record.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import { explainTrade } from '../inspect/explanation.ts'
import { InspectFault } from '../inspect/fault.ts'
import { commandNamed } from '../inspect/identity.ts'
import { journalRecords, RECORDS_SHOWN } from '../inspect/journal.ts'
import { lifeOf } from '../inspect/life.ts'
import { openFolder, openMongoSource, partitionNamed, type InspectSource } from '../inspect/source.ts'
import { explanationText, recordText } from '../inspect/text.ts'
import { tradeHistory } from '../inspect/trade.ts'

interface PlaceOptions {
  readonly dataDir?: string
  readonly mongodb?: string
  readonly json?: true
}
interface RangeOptions {
  readonly from: bigint
  readonly to?: bigint
  readonly limit?: number
  readonly follow?: true
}

const clock = createSystemClock()

const sequence = (text: string): bigint => {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('give a record number: a whole number from 1.')
}
const count = (text: string): number => {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('give a whole number from 1.')
}

/** A bigint is its digits, bytes are hex. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === 'bigint') return String(one)
    return one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one
  })

/** Someone who looks at the first lines only closes the pipe: that is no fault. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
const write = (text: string): void => void process.stdout.write(text)

const open = async ({ dataDir, mongodb }: PlaceOptions): Promise<InspectSource> => {
  if (dataDir !== undefined && mongodb !== undefined)
    throw new InspectFault('--data-dir and --mongodb are both given; keep the one whose data you mean')
  const url = mongodb ?? (dataDir === undefined ? process.env['BOURSE_MONGODB_URL'] : undefined)
  if (url !== undefined && url !== '') return openMongoSource(url, clock)
  return openFolder(dataDir ?? process.env['BOURSE_DATA_DIR'] ?? '.bourse')
}

/** Runs a task on the data, and ends with its code; what the asker can put right or has to know is said in one line. */
const onData = async (options: PlaceOptions, task: (source: InspectSource) => Promise<number>): Promise<void> => {
  try {
    const source = await open(options)
    try {
      process.exitCode = await task(source)
    } finally {
      await source.close()
    }
  } catch (error) {
    const isDamage = error instanceof RecordError || error instanceof PortError
    if (!isDamage && !(error instanceof InspectFault)) throw error
    process.stderr.write(`inspect: ${error.message}\n`)
    process.exitCode = isDamage ? 1 : 2
  }
}

const program = new Command('inspect').description(
  'reads the journal of a platform, also while it runs; changes nothing',
)
const onPlace = (command: Command): Command =>
  command
    .option('--data-dir <folder>', 'the data folder (default: BOURSE_DATA_DIR, or .bourse)')
    .option('--mongodb <url>', 'the MongoDB of a platform of many processes (default: BOURSE_MONGODB_URL)')
    .option('--json', 'JSON for programs: a line for each record, or one document')

onPlace(program.command('journal <partition>'))
  .description('records of a partition (ledger/3, trading/BTC_USDC/0, bridge/1), decoded')
  // With the default in words: help can't show a bigint.
  .addOption(new Option('--from <record>', 'the first one').argParser(sequence).default(1n, '1'))
  .option('--to <record>', 'the last one', sequence)
  .option('--limit <records>', `how many at most (default: ${RECORDS_SHOWN}; followed: all)`, count)
  .option('--follow', 'goes on with what is appended, until Ctrl-C')
  .action((name: string, options: PlaceOptions & RangeOptions) =>
    onData(options, async (source) => {
      const partition = partitionNamed(source, name)
      const { from, to = null, follow = false, limit = follow ? null : RECORDS_SHOWN } = options
      const quit = new AbortController()
      process.once('SIGINT', () => quit.abort())
      process.once('SIGTERM', () => quit.abort())
      let shown = 0
      const stop = { clock, signal: quit.signal }
      for await (const record of journalRecords(source, partition, { from, to, limit, follow }, stop)) {
        write(options.json ? `${json(record)}\n` : recordText(record))
        shown += 1
      }
      if (shown > 0 || follow) return 0
      process.stderr.write(`inspect: ${name} has no record from ${from} on\n`)
      return 1
    }),
  )

onPlace(program.command('command <name>'))
  .description(
    "a command's life across partitions, by its id (32 hex characters), by tx_…, by trade_…, or by an idempotency key with its " +
      'scope: user:<user id>:<key>, bank:<name>:<key>, admin:<key>',
  )
  .action((name: string, options: PlaceOptions) =>
    onData(options, async (source) => {
      const needles = name.startsWith('trade_')
        ? [(await tradeHistory(source, name)).opening.trade.openId]
        : commandNamed(name).needles
      const records = await lifeOf(source, needles)
      if (options.json) write(`${json({ command: name, records })}\n`)
      else for (const record of records) write(recordText(record))
      if (records.length > 0) return 0
      process.stderr.write(`inspect: no journal in ${source.place} mentions ${name}\n`)
      return 1
    }),
  )

onPlace(program.command('trade <tradeId>'))
  .description(
    'a trade explained from the journal: inputs, formulas with their numbers, what closed it, postings; recomputed',
  )
  .action((tradeId: string, options: PlaceOptions) =>
    onData(options, async (source) => {
      const explanation = await explainTrade(source, tradeId)
      write(options.json ? `${json(explanation)}\n` : explanationText(explanation))
      return explanation.agrees ? 0 : 1
    }),
  )

await program.parseAsync()
