/**
 * `npm run dlq -- list | show ID | resend ID | resend --all`: the messages on RabbitMQ that no partition could read. Exits 1 when
 * something could not be done.
 */
import { readFileSync } from 'node:fs'
import Table from 'cli-table3'
import { Command } from 'commander'
import { pino } from 'pino'
import { openRabbitBus, type RabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { DEAD_LETTERS_LISTED_MAX } from '@bourse/common/adapters/rabbitmq/bus-dead-letters.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import type { DeadLetter } from '@bourse/common/ports/bus.ts'

interface Settings {
  readonly url?: string
  readonly namespace: string
  readonly json: boolean
}

const VARIABLE = 'BOURSE_RABBITMQ_URL'
/** Bytes of a body that are shown to people; `--json` has all of them. */
const SHOWN_BYTES = 256

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** The URL given, else the variable's, else what the variable's file says; never a default, which could be the wrong server. */
const urlOf = ({ url }: Settings): string => {
  const file = process.env[`${VARIABLE}_FILE`]
  const found = url ?? process.env[VARIABLE] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
  if (found === undefined || found === '') throw new Error(`give the server with --url or set ${VARIABLE}`)
  return found
}

const nameOf = (partition: number): string => {
  try {
    return partitionName(partition)
  } catch {
    // Somebody else's message: it is shown all the same.
    return '?'
  }
}
const timeOf = (atMs: number): string => (atMs === 0 ? '?' : new Date(atMs).toISOString())

/** A letter in JSON: sequences as text, the body in base64. */
const plain = ({ id, partition, reason, atMs, message }: DeadLetter): Record<string, unknown> => ({
  id,
  partition: nameOf(partition),
  reason,
  at: timeOf(atMs),
  type: message.type,
  sender: message.sender === undefined ? null : nameOf(message.sender),
  sequence: message.sequence === undefined ? null : String(message.sequence),
  headers: message.headers ?? {},
  body: Buffer.from(message.body).toString('base64'),
})

const list = async (bus: RabbitBus, { json }: Settings): Promise<boolean> => {
  const letters = await bus.deadLetters(DEAD_LETTERS_LISTED_MAX)
  const total = Math.max(await bus.deadLetterCount(), letters.length)
  if (json) {
    print(JSON.stringify({ total, letters: letters.map(plain) }))
    return true
  }
  const table = new Table({
    head: ['id', 'partition', 'type', 'bytes', 'at', 'reason'],
    style: { head: [], border: [] },
  })
  for (const { id, partition, message, atMs, reason } of letters)
    table.push([id, nameOf(partition), message.type, message.body.length, timeOf(atMs), reason])
  print(letters.length === 0 ? 'no dead letters' : table.toString())
  if (total > letters.length) print(`${total - letters.length} more are behind these`)
  return true
}

const show = async (bus: RabbitBus, { json }: Settings, id: string): Promise<boolean> => {
  const letter = (await bus.deadLetters(DEAD_LETTERS_LISTED_MAX)).find((one) => one.id === id)
  if (letter === undefined) throw new Error(`there is no dead letter ${id}`)
  if (json) {
    print(JSON.stringify(plain(letter)))
    return true
  }
  const { body, ...rest } = plain(letter)
  for (const [name, value] of Object.entries(rest))
    print(`${name.padEnd(10)} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const bytes = Buffer.from(String(body), 'base64')
  const more = bytes.length > SHOWN_BYTES ? ` and ${bytes.length - SHOWN_BYTES} bytes more` : ''
  print(`body       ${bytes.length} bytes: ${bytes.subarray(0, SHOWN_BYTES).toString('hex')}${more}`)
  return true
}

/** Sends each again; goes on with the others when one can't be, and tells which. */
const resend = async (bus: RabbitBus, { json }: Settings, ids: readonly string[]): Promise<boolean> => {
  const resent: string[] = []
  const failed: Record<string, string> = {}
  for (const id of ids) {
    try {
      if (await bus.resend(id)) resent.push(id)
      else failed[id] = 'there is no such dead letter'
    } catch (error) {
      failed[id] = error instanceof Error ? error.message : String(error)
    }
  }
  if (json) print(JSON.stringify({ resent, failed }))
  else {
    for (const id of resent) print(`${id} was sent again`)
    for (const [id, why] of Object.entries(failed)) print(`${id} was not sent: ${why}`)
    if (ids.length === 0) print('no dead letters')
  }
  return Object.keys(failed).length === 0
}

const command = new Command('dlq')
  .description('lists, shows and sends again the messages that no partition could read')
  .option('--url <url>', `RabbitMQ, amqp://user:password@host:port; otherwise ${VARIABLE}`)
  .option('--namespace <name>', "what our queues' names begin with", process.env['BOURSE_NAMESPACE'] ?? 'bourse')
  .option('--json', 'for programs: one line', false)

/** Opens the bus for one task; the exit code tells whether all was done. */
const run = async (task: (bus: RabbitBus, settings: Settings) => Promise<boolean>): Promise<void> => {
  const settings = command.opts<Settings>()
  try {
    const bus = await openRabbitBus({
      url: urlOf(settings),
      clock: createSystemClock(),
      logger: pino({ level: 'silent' }),
      prefix: settings.namespace,
    })
    try {
      process.exitCode = (await task(bus, settings)) ? 0 : 1
    } finally {
      await bus.close()
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

command
  .command('list')
  .description('all of them, the oldest first')
  .action(() => run(list))
command
  .command('show <id>')
  .description('one of them, with envelope, reason and bytes')
  .action((id: string) => run((bus, settings) => show(bus, settings, id)))
command
  .command('resend [id]')
  .description('sends one to its partition again, or all of them')
  .option('--all', 'all of them', false)
  .action((id: string | undefined, { all }: { all: boolean }) =>
    run(async (bus, settings) => {
      if ((id === undefined) !== all) throw new Error('name one dead letter, or say --all')
      const ids = id === undefined ? (await bus.deadLetters(DEAD_LETTERS_LISTED_MAX)).map((one) => one.id) : [id]
      return resend(bus, settings, ids)
    }),
  )

await command.parseAsync()
