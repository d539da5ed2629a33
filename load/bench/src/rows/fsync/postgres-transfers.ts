import { createHash } from 'node:crypto'
import pg from 'pg'
import { ACCOUNTS, partiesOf, type TransferShape } from './ledger-load.ts'
import type { PostgresServer } from './postgres-server.ts'
import { nowMs, workFor, type Subject, type Work } from './slices.ts'

/** Connections that work side by side. */
const CONNECTIONS = 8
/** Transfers in one transaction of the batched peer. */
const BATCH = 50

/** One row for each transfer, its id unique as the engine's; room in the account's page for its next version. */
const SCHEMA = `
  CREATE TABLE accounts (
    id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0), version bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 50);
  CREATE TABLE transfers (
    id uuid PRIMARY KEY, debit integer NOT NULL, credit integer NOT NULL, amount bigint NOT NULL CHECK (amount > 0)
  );
  INSERT INTO accounts SELECT id, 1000000000000 FROM generate_series(0, ${ACCOUNTS - 1}) AS id;
  VACUUM ANALYZE accounts;
  CHECKPOINT;
`

const LOCK = 'SELECT id, balance FROM accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE'
const INSERT = 'INSERT INTO transfers VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING'
const MOVE = `UPDATE accounts SET balance = balance + CASE WHEN id = $1 THEN -$3::bigint ELSE $3::bigint END,
  version = version + 1 WHERE id IN ($1, $2) RETURNING id, balance`

/**
 * One statement for many transfers: what each account gains or loses is summed first, so that a hot account is written once;
 * rows are locked in the order of their ids, so that two batches never wait for each other.
 */
const MOVE_MANY = `
  WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bigint[]) AS t (id, debit, credit, amount)),
    fresh AS (INSERT INTO transfers SELECT * FROM asked ON CONFLICT DO NOTHING RETURNING debit, credit, amount),
    change AS (
      SELECT id, sum(amount)::bigint AS amount FROM (
        SELECT debit AS id, -amount AS amount FROM fresh UNION ALL SELECT credit, amount FROM fresh) AS legs GROUP BY id),
    locked AS (SELECT id FROM accounts WHERE id IN (SELECT id FROM change) ORDER BY id FOR UPDATE)
  UPDATE accounts SET balance = accounts.balance + change.amount, version = version + 1
    FROM change JOIN locked USING (id) WHERE accounts.id = change.id RETURNING accounts.id, accounts.balance`

const uuidOf = (shape: TransferShape, peer: string, transfer: number): string =>
  createHash('md5')
    .update(`${shape}/${peer}/${transfer}`)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

/** Connections on which a piece of work is repeated side by side, and the check that ends it. */
export interface PostgresTransfers {
  /** One transaction for each transfer: lock both accounts in order, insert, move, commit. */
  rowLocks(shape: TransferShape): Subject
  /** BATCH transfers in each transaction, one statement. */
  batched(shape: TransferShape): Subject
  /** @throws when money was made or lost, or fewer transfers are there than were counted. */
  close(): Promise<void>
}

type Client = pg.Client

const transferOnce = async (client: Client, id: string, debit: number, credit: number): Promise<void> => {
  await client.query('BEGIN')
  const { rows } = await client.query({ name: 'lock', text: LOCK, values: [debit, credit] })
  if (rows.length !== 2) throw new Error('an account is missing')
  await client.query({ name: 'insert', text: INSERT, values: [id, debit, credit, 1] })
  await client.query({ name: 'move', text: MOVE, values: [debit, credit, 1] })
  await client.query('COMMIT')
}

const transferMany = async (client: Client, ids: string[], parties: (readonly [number, number])[]): Promise<void> => {
  const debits = parties.map(([debit]) => debit)
  const credits = parties.map(([, credit]) => credit)
  const amounts = parties.map(() => 1)
  await client.query({ name: 'move many', text: MOVE_MANY, values: [ids, debits, credits, amounts] })
}

/** Fills the server's tables and connects. */
export const openTransfers = async ({ host, user }: PostgresServer): Promise<PostgresTransfers> => {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client({ host, user, database: 'postgres' }))
  for (const client of clients) await client.connect()
  for (const statement of SCHEMA.split(';').filter((text) => text.trim() !== '')) await clients[0]!.query(statement)
  let done = 0

  /** `step` on every connection at once, each beginning its next when it is through with the last. */
  const together = async (durationMs: number, step: (client: Client) => Promise<number>): Promise<Work> => {
    const startMs = nowMs()
    const parts = await Promise.all(
      clients.map((client) => workFor(durationMs, async () => ({ operations: await step(client), tookMs: 0 }))),
    )
    const operations = parts.reduce((sum, part) => sum + part.operations, 0)
    done += operations
    return { operations, tookMs: nowMs() - startMs }
  }

  return {
    rowLocks: (shape) => {
      let transfer = 0
      const step = async (client: Client): Promise<number> => {
        const [debit, credit] = partiesOf(shape, transfer)
        await transferOnce(client, uuidOf(shape, 'row-locks', transfer++), debit, credit)
        return 1
      }
      return { name: 'postgres-row-locks', work: (durationMs) => together(durationMs, step) }
    },
    batched: (shape) => {
      let transfer = 0
      const step = async (client: Client): Promise<number> => {
        const first = transfer
        transfer += BATCH
        const numbers = Array.from({ length: BATCH }, (_, index) => first + index)
        const ids = numbers.map((number) => uuidOf(shape, 'batched', number))
        const parties = numbers.map((number) => partiesOf(shape, number))
        await transferMany(client, ids, parties)
        return BATCH
      }
      return { name: 'postgres-batched', work: (durationMs) => together(durationMs, step) }
    },
    close: async () => {
      const { rows } = await clients[0]!.query<{ sum: string; count: string }>(
        'SELECT (SELECT sum(balance) FROM accounts)::text AS sum, (SELECT count(*) FROM transfers)::text AS count',
      )
      for (const client of clients) await client.end()
      if (BigInt(rows[0]!.sum) !== 1_000_000_000_000n * BigInt(ACCOUNTS)) throw new Error('PostgreSQL: money was lost')
      if (Number(rows[0]!.count) !== done)
        throw new Error(`PostgreSQL: ${rows[0]!.count} of ${done} transfers are there`)
    },
  }
}
