import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mongoLabel, mongoMissing, type MongoKind } from '@bourse/common/testkit/servers/mongodb.ts'
import { rabbitMqMissing } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const RUN_MS_MAX = 1_800_000

interface Row {
  readonly name: string
  readonly value: number | null
  readonly unit: string
  readonly kind: string
  readonly peers: Readonly<Record<string, number>>
  readonly reason?: string
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bourse-bench-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const bench = (
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve) => {
    const all = ['--disable-warning=ExperimentalWarning', MAIN, '--report', join(folder, 'performance.md'), ...args]
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

const rowsOf = (stdout: string): ReadonlyMap<string, Row> => {
  const { rows } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { readonly rows: readonly Row[] }
  return new Map(rows.map((row) => [row.name, row]))
}

const measured = async (
  ...prefixes: string[]
): Promise<{ readonly rows: ReadonlyMap<string, Row>; readonly said: string }> => {
  const { code, stdout, stderr } = await bench('--only', ...prefixes, '--runs', '1', '--json')
  if (code !== 0) throw new Error(stderr)
  return { rows: rowsOf(stdout), said: stderr }
}

describeUnless(rabbitMqMissing(), 'npm run bench -- --only broker', () => {
  test(
    'measures commands a second beside the echo, packed and not, and the latencies of both',
    async () => {
      const { rows, said } = await measured('broker/trading-packed', 'broker/trading-single', 'broker/request-reply')
      expect([...rows.keys()]).toEqual([
        'broker/trading-packed',
        'broker/trading-single',
        'broker/request-reply-p50',
        'broker/request-reply-p99',
      ])
      for (const row of rows.values()) {
        expect(row.kind).toBe('core + broker')
        expect(row.value).toBeGreaterThan(0)
        expect(row.peers['amqplib-echo']).toBeGreaterThan(0)
      }
      // What packs are for, as a count: what they gain is the benchmark's to say, on a machine that does nothing else.
      const perMessage = (packing: string): number =>
        Number(new RegExp(`^${packing}: ([\\d.]+) commands in a message$`, 'm').exec(said)?.[1])
      expect(perMessage('packed')).toBeGreaterThan(10)
      expect(perMessage('single')).toBeCloseTo(1, 1)
      const [p50, p99] = [rows.get('broker/request-reply-p50')!, rows.get('broker/request-reply-p99')!]
      expect(p99.value!).toBeGreaterThan(p50.value!)
    },
    RUN_MS_MAX,
  )

  test(
    'measures the pause of a moved partition',
    async () => {
      const row = (await measured('broker/move-pause')).rows.get('broker/move-pause')!
      expect(row.unit).toBe('ms')
      // No move is for nothing: shorter than this is the gap between two answers under load.
      expect(row.value).toBeGreaterThan(3)
    },
    RUN_MS_MAX,
  )
})

const missing = rabbitMqMissing() ?? mongoMissing()
describeUnless(missing, 'npm run bench -- --only broker, on MongoDB', () => {
  test(
    'names the server that was measured, and measures bare inserts beside it',
    async () => {
      const row = (await measured('broker/trading-mongodb')).rows.get('broker/trading-mongodb')!
      expect(row.value).toBeGreaterThan(0)
      expect(row.peers['bare-insert']).toBeGreaterThan(0)
      const kinds: readonly MongoKind[] = ['given', 'mongod', 'mongo-memory', 'ferretdb']
      const kind = kinds.find((one) => mongoMissing(one) === undefined)!
      const { tradingMongodb } = await import('../../src/rows/broker/mongodb.ts')
      expect(tradingMongodb.rows[0]!.what).toContain(mongoLabel(kind))
    },
    RUN_MS_MAX,
  )
})
