import { createHash, randomUUID } from 'node:crypto'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { createLogger, type Logger } from '@bourse/common/telemetry/logger.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { defaultGatewayLimits, type GatewayConfig, type GatewayLimits } from '../../src/config.ts'
import type { PartitionState, PlatformInspector } from '../../src/platform-inspector.ts'
import type { Sandbox } from '../../src/sandbox/routes.ts'
import { startGateway, type Gateway } from '../../src/service.ts'
import { judgeAnswer } from './answers.ts'
import { testBridge, testLedger, testTrading } from './clients.ts'
import { testClock, testDirectory, testIds, testPrices, testRandom, testRateLimits, testViews } from './ports.ts'

/** Keys of the tests. */
export const API_KEY = 'demo-key-0123456789-0123456789-0123456789'
export const ADMIN_TOKEN = 'admin-token-0123456789-0123456789-0123'

const UNIT = 100_000_000n
/** How long a request may take to arrive: a machine that stands still for seconds is not what the tests are of. */
const REQUEST_TIMEOUT_MS = 120_000

/** A pair like the sample's. */
export const pair = (symbol: string): TradingPairSpec => ({
  symbol,
  type: 'CFD',
  baseAsset: symbol.split('_')[0] ?? '',
  quoteAsset: 'USDC',
  tickSize: 1_000_000n,
  lotSize: 1_000n,
  state: 'Open',
  margin: {
    maxLeverage: 100,
    tiers: [{ notionalFloor: 0n, maintenanceRate: 400_000n, maxLeverage: 100, maintenanceAmount: 0n }],
  },
  fees: { openBps: 5n * UNIT, closeBps: 5n * UNIT, liquidationBps: 50n * UNIT },
  spreadBps: 2n * UNIT,
  funding: { intervalSeconds: 28_800, rateBps: UNIT, capBps: 75n * UNIT },
  prices: {
    source: { source: 'walk', startPrice: UNIT, seed: 1, stepMs: 1_000, stepBps: UNIT },
    maxAgeSeconds: 5,
    maxJumpBps: 2_000n * UNIT,
  },
  limits: { maxOpenTrades: null, maxNotional: null, maxNetNotional: null, minMargin: UNIT },
  engine: { partitions: 4, shards: 1, capacity: 10_000 },
  snapshots: { intervalMs: 15_000, keep: 10, compression: 'zstd' },
})

/** What tests change of a bank. */
export interface BankChange {
  readonly state?: 'Active' | 'Suspended'
  readonly allowedCidrs?: readonly string[]
  readonly requestsPerSecond?: number
}

/** A bank like the sample's. */
export const bank = (
  name: string,
  { state = 'Active', allowedCidrs = [], requestsPerSecond = 1_000 }: BankChange = {},
): Bank => ({
  kind: 'Bank',
  name,
  spec: {
    displayName: name,
    state,
    callback: { url: 'http://127.0.0.1:1', timeoutMs: 2_000, retries: 3 },
    pairs: [],
    quotes: { ttlSeconds: 10, slippageBps: 50n * UNIT },
    limits: { requestsPerSecond, dailyAmount: null, dailyAmountPerCustomer: null, currency: 'AZN' },
    apiKeys: { rotateAfterDays: 90, overlapHours: 24 },
    allowedCidrs,
    deletionPolicy: 'Retain',
  },
})

/** A parsed answer, for tests to look into: whatever is not there reads as undefined. */
export interface Json {
  readonly [key: string]: Json
}

/** What a call answered. */
export interface Called {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}

/** How a call is made. */
export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** `authToken=…` */
  readonly cookie?: string
}

const platform = () => {
  const watchers = new Map<string, Set<() => void>>()
  const state: { ready: boolean; reasons: string[] } = { ready: true, reasons: [] }
  const more: PartitionState[] = []
  const inspector: PlatformInspector = {
    ready: () => state,
    partitions: () => [
      {
        name: 'ledger/0',
        number: 1 << 24,
        state: 'serving',
        sequence: 12n,
        snapshotSequence: null,
        snapshotAtMs: null,
        viewLagRecords: 0n,
        reason: null,
        shard: 'shard-0',
        ageMs: 0,
      },
      ...more,
    ],
    stateHashes: async () => new Map([[1 << 24, '00ff']]),
    viewsAsOfMs: () => 1_700_000_000_000,
    watchTradeEvents: (account, notify) => {
      const set = watchers.get(account) ?? new Set()
      watchers.set(account, set.add(notify))
      return () => {
        set.delete(notify)
      }
    },
  }
  return {
    inspector,
    state,
    /** Partitions besides the one there always is. */
    more,
    notify: (account: string) => {
      for (const notify of watchers.get(account) ?? []) notify()
    },
    watching: () => [...watchers.values()].reduce((total, set) => total + set.size, 0),
  }
}

const cookieOf = (called: Called): string => (called.headers.get('set-cookie') ?? '').split(';')[0] ?? ''

const caller =
  (gateway: Gateway) =>
  async (method: string, path: string, { body, headers = {}, cookie }: CallOptions = {}): Promise<Called> => {
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: {
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookie === undefined ? {} : { cookie }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
    })
    const answered = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    const called: Called = {
      status: response.status,
      headers: response.headers,
      text: answered,
      json: (isJson ? JSON.parse(answered) : null) as Json,
    }
    judgeAnswer(method, path, called)
    return called
  }

/** A gateway on a free port over doubles of everything else; every answer is judged by the documented schemas. */
export const startTestGateway = async (
  options: {
    readonly limits?: Partial<GatewayLimits>
    readonly config?: Partial<GatewayConfig>
    readonly consoleFolder?: string
    readonly sandbox?: Sandbox
    readonly logger?: Logger
  } = {},
) => {
  const clock = testClock()
  const trading = testTrading()
  const ledger = testLedger(trading.control.reads, trading.lockedOf)
  const bridge = testBridge()
  const directory = testDirectory()
  const views = testViews()
  const prices = testPrices()
  const around = platform()
  const banks: Bank[] = [bank('demo'), bank('other')]
  const config: GatewayConfig = {
    host: '127.0.0.1',
    port: 0,
    profile: 'development',
    jwtSecret: 's'.repeat(32),
    adminToken: ADMIN_TOKEN,
    demoBalance: 10_000n * 100_000_000n,
    accountCurrency: 'USDC',
    trustedProxyCidrs: [],
    allowedOrigins: [],
    limits: { ...defaultGatewayLimits, requestTimeoutMs: REQUEST_TIMEOUT_MS, ...options.limits },
    ...options.config,
  }
  const addKey = (name: string, key: string, expiresAtMs: number | null = null, createdAtMs = 0): Promise<void> =>
    directory.putBankKey({
      bank: name,
      keyHash: createHash('sha256').update(key).digest('hex'),
      createdAtMs,
      expiresAtMs,
    })
  await addKey('demo', API_KEY)
  const gateway = await startGateway(
    {
      config,
      trading: trading.client,
      ledger: ledger.client,
      bridge: bridge.client,
      directory,
      views,
      prices,
      platform: around.inspector,
      sandbox: options.sandbox ?? null,
      clock,
      candles: () => [{ openTimeMs: 0, open: 1n, high: 2n, low: 1n, close: 2n }],
      pairs: () => [pair('BTC_USDC'), pair('ETH_USDC')],
      banks: () => banks,
      rateLimits: testRateLimits(clock),
      metrics: createMetrics(),
      servesMetrics: true,
      ids: testIds,
      random: testRandom,
      logger: options.logger ?? createLogger({ name: 'test', level: 'silent' }),
      // Whatever is built in the tree, tests serve their own.
      consoleFolder: options.consoleFolder ?? '/nothing/is/built/here',
    },
    { logN: 10, r: 8, p: 1 },
  )
  const call = caller(gateway)
  let users = 0
  return {
    gateway,
    call,
    clock,
    trading,
    ledger,
    bridge,
    directory,
    views,
    prices,
    banks,
    addKey,
    platform: around,
    /** Signs a new user up. */
    signUp: async (): Promise<{ readonly cookie: string; readonly userId: string; readonly email: string }> => {
      users += 1
      const email = `user${users}@example.com`
      const called = await call('POST', '/api/v1/auth/signup', { body: { email, password: 'correct horse' } })
      return { cookie: cookieOf(called), userId: String(called.json.data?.userId), email }
    },
    cookieOf,
    engine: (cookie: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      call('POST', '/api/v1/engine', { cookie, body, headers }),
    bankCall: (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      call(method, path, { ...(body === undefined ? {} : { body }), headers: { 'x-api-key': API_KEY, ...headers } }),
    admin: (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      call(method, path, {
        ...(body === undefined ? {} : { body }),
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(method === 'POST' ? { 'x-idempotency-key': randomUUID() } : {}),
          ...headers,
        },
      }),
  }
}

/** What `startTestGateway` gives. */
export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>
