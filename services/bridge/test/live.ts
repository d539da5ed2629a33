import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { ok, refuse } from '@bourse/common/errors/codes.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import { createPatientClock } from '@bourse/common/testkit/patient-clock.ts'
import { startMockExchange } from '../../mock-exchange/src/service.ts'
import { startMockBank } from '../../mock-bank/src/service.ts'
import { createBankHttp } from '../src/adapters/bank-http.ts'
import { createExchangeHttp } from '../src/adapters/exchange-http.ts'
import { createKeptFetch } from '../src/adapters/kept-fetch.ts'
import { createBridgeClient } from '../src/client/client.ts'
import type { BankMoveRequest, BankTradeRequest } from '../src/client/types.ts'
import { createBridgeHost } from '../src/host/host.ts'
import { createStoredEvents } from '../src/host/stored-events.ts'
import { BRIDGE_PROJECTION, foldBridgeRecord } from '../src/projection/fold.ts'
import { createMemoryViews } from './memory-views.ts'
import { BRIDGE, bytes16, createWorld, demoRules } from './world.ts'

const SECRETS = ['whsec_present', 'whsec_before']
const LEDGER_PARTITIONS = 2
/** A test that waits longer for quiet has found a call that never ends. */
const QUIET_MS_MAX = 30_000
/** Noon: no test here lasts until midnight. */
const START_MS = Date.UTC(2026, 2, 10, 12)

/**
 * The bridge with its real adapters between the two simulators, on a kernel that is only this file. All three have one clock,
 * which waits for a process that does not get on: limits end what hangs, not what is slow.
 */
export const startLive = async () => {
  const clock = createPatientClock(START_MS)
  const kept = createKeptFetch()
  const logger = pino({ level: 'silent' })
  const dataDir = mkdtempSync(join(tmpdir(), 'bridge-'))
  const common = { host: '127.0.0.1', port: 0, dataDir, logger, clock }
  const exchange = await startMockExchange(common)
  const bank = await startMockBank({ ...common, webhookSecrets: SECRETS.slice(0, 1) })
  const world = createWorld({
    clockMs: clock.nowMs,
    ledgerPartitions: LEDGER_PARTITIONS,
    rules: demoRules({ callbackUrl: bank.url, callbackTimeoutMs: 300, callbackRetries: 2 }),
  })
  const views = createMemoryViews()
  const host = createBridgeHost({
    ledgerPartitions: LEDGER_PARTITIONS,
    clock,
    logger,
    liquidity: createExchangeHttp({
      fetch: kept.fetch,
      clock,
      baseUrl: () => exchange.url,
      orderTimeoutMs: 300,
      tickerTimeoutMs: 300,
    }),
    callbacks: createBankHttp({ fetch: kept.fetch, clock, webhookSecrets: () => SECRETS }),
    events: createStoredEvents(views),
  })
  let projected = 0
  let stopping = new AbortController()
  const running = new Set<Promise<void>>()

  const run = async (number: bigint, bytes: Uint8Array, maybeSent: boolean, signal: AbortSignal): Promise<void> => {
    const answer = (await host.execute!({ sequence: number, bytes, maybeSent, signal })).slice()
    if (signal.aborted) return
    new DataView(answer.buffer).setBigUint64(48, number, true)
    world.take(number)
    world.order(BRIDGE, answer)
    pump()
  }
  const started = new Set<bigint>()
  const pump = (maybeSent = false): void => {
    for (const { number, bytes } of world.calls()) {
      if (started.has(number)) continue
      started.add(number)
      const { signal } = stopping
      const one = run(number, bytes, maybeSent, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      running.add(one)
      void one.finally(() => running.delete(one))
    }
  }
  const crashed = async (): Promise<void> => {
    stopping.abort(new Error('crash'))
    await Promise.allSettled(running)
    world.crash()
  }
  const resume = (): void => {
    stopping = new AbortController()
    started.clear()
    pump(true)
  }

  const partitions: PartitionClient = {
    command: async (partition, command) => {
      const resolved = await host.resolve!(command, world.machine())
      const outcome = world.order(partition, resolved)
      pump()
      return { ok: true, value: { sequence: BigInt(world.records.length), outcome } }
    },
    read: async (partition, question, { parkMs = 0 }) => {
      const untilMs = clock.monotonicMs() + parkMs
      for (;;) {
        const answer = world.seatOf(partition).machine.query(question)
        if (!answer.pending || clock.monotonicMs() >= untilMs) return ok({ sequence: 0n, outcome: answer.bytes })
        if (stopping.signal.aborted) return refuse('UNAVAILABLE', 'crashed')
        await clock.sleep(5)
      }
    },
  }
  const topology: Topology = { ledgerPartitions: LEDGER_PARTITIONS, bridgePartitions: 1, markets: new Map() }
  let lagMs = 0
  const client = createBridgeClient({
    partitions,
    topology,
    views,
    viewFreshness: async () => clock.nowMs() - lagMs,
    clock,
    ids: createSystemIds(),
  })

  const control = async (url: string, body: object): Promise<void> => {
    const response = await fetch(`${url}/control`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (response.status !== 200) throw new Error(await response.text())
  }
  const read = async (url: string): Promise<Record<string, unknown>[]> =>
    (await (await fetch(url)).json()) as Record<string, unknown>[]
  const identity = (key: string, hash: string) => ({
    id: bytes16(key),
    requestHash: createHash('sha256').update(hash).digest().subarray(0, 16),
    keyed: true,
  })
  await control(exchange.url, { prices: { AZNUSDT: '1.6847' } })

  return {
    world,
    views,
    partitions,
    client,
    clock,
    exchange,
    bank,
    crashed,
    resume,
    control,
    secrets: SECRETS,
    setLag: (ms: number) => {
      lagMs = ms
    },
    onExchange: (body: object) => control(exchange.url, body),
    onBank: (body: object) => control(bank.url, body),
    orders: () => read(`${exchange.url}/control/orders`),
    exchangeLog: () => read(`${exchange.url}/control/log?after=0`),
    bankEvents: () => read(`${bank.url}/control/events?after=0`),
    bankTransaction: async (id: string) =>
      (await (await fetch(`${bank.url}/control/transactions/${id}`)).json()) as Record<string, unknown>,
    project: async () => {
      for (; projected < world.records.length; projected++) {
        const record = world.records[projected]!
        await views.project(BRIDGE_PROJECTION, BRIDGE, record.sequence, foldBridgeRecord(record))
      }
    },
    trade: (key: string, change: Partial<BankTradeRequest> = {}) =>
      client.trade({
        identity: identity(key, 'trade'),
        idempotencyKey: key,
        bank: 'demo',
        side: 'BUY',
        bankUserId: 'user_123',
        quoteId: null,
        amount: parseAmount('100'),
        currency: 'AZN',
        ...change,
      }),
    move: (key: string, change: Partial<BankMoveRequest> = {}) =>
      client.move({
        identity: identity(key, 'move'),
        idempotencyKey: key,
        bank: 'demo',
        type: 'DEPOSIT',
        bankUserId: 'user_123',
        amount: parseAmount('1000'),
        currency: 'AZN',
        reference: 'r',
        ...change,
      }),
    identity,
    /** Waits until nothing is under way, events and reversals included. */
    quiet: async () => {
      const untilMs = clock.monotonicMs() + QUIET_MS_MAX
      while (world.calls().length > 0) {
        if (clock.monotonicMs() > untilMs) throw new Error(`still under way: ${world.callKinds().join()}`)
        await clock.sleep(10)
      }
    },
    stop: async () => {
      stopping.abort(new Error('stop'))
      await Promise.allSettled(running)
      kept.close()
      await exchange.stop()
      await bank.stop()
      await clock.stop()
      rmSync(dataDir, { recursive: true })
    },
  }
}

/** A live bridge. */
export type Live = Awaited<ReturnType<typeof startLive>>
