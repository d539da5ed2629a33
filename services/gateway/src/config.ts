import type { Units } from '@bourse/common/money/amount.ts'

/** A token bucket: `burst` at once, then `perSecond`. */
export interface RateLimit {
  readonly perSecond: number
  readonly burst: number
}

/** Every bound of the edge. Reached ones are refused and counted. */
export interface GatewayLimits {
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  /** A request that has not arrived whole by then is answered 408. */
  readonly requestTimeoutMs: number
  readonly connectionsMax: number
  readonly requestsInFlightMax: number
  /** How long a stop waits for requests under way. */
  readonly shutdownTimeoutMs: number
  readonly sessionTtlMs: number
  /** Password hashes computed at one moment, and waiting for their turn. */
  readonly passwordHashesMax: number
  readonly passwordHashesWaitingMax: number
  /** Calls without a session or key, per address. */
  readonly anonymousPerAddress: RateLimit
  /** Pages and files of the console, per address. */
  readonly consolePerAddress: RateLimit
  /** Refused keys and tokens, per address. */
  readonly failedKeysPerAddress: RateLimit
  readonly signUpPerAddress: RateLimit
  readonly signInPerAddress: RateLimit
  readonly signInPerEmail: RateLimit
  readonly perUser: RateLimit
  readonly administration: RateLimit
  readonly socketsMax: number
  readonly socketsPerAddressMax: number
  readonly subscriptionsPerSocketMax: number
  readonly socketMessageBytesMax: number
  readonly socketMessages: RateLimit
  /** Bytes waiting for a slow reader above which prices are conflated and trades wait. */
  readonly socketBufferBytesMax: number
  /** A reader that stays above the bound this long is closed (1013). */
  readonly slowReaderTimeoutMs: number
  /** How often sockets are pinged and their sessions looked at again. */
  readonly socketCheckIntervalMs: number
}

/** Bounds that suit one process; tests and operators override single ones. */
export const defaultGatewayLimits: GatewayLimits = {
  bodyBytesMax: 65_536,
  headerBytesMax: 16_384,
  requestTimeoutMs: 10_000,
  connectionsMax: 10_000,
  requestsInFlightMax: 2_000,
  shutdownTimeoutMs: 20_000,
  sessionTtlMs: 12 * 3_600_000,
  passwordHashesMax: 2,
  passwordHashesWaitingMax: 64,
  anonymousPerAddress: { perSecond: 100, burst: 300 },
  consolePerAddress: { perSecond: 50, burst: 500 },
  failedKeysPerAddress: { perSecond: 1, burst: 20 },
  signUpPerAddress: { perSecond: 2, burst: 50 },
  signInPerAddress: { perSecond: 2, burst: 50 },
  signInPerEmail: { perSecond: 0.1, burst: 10 },
  perUser: { perSecond: 100, burst: 200 },
  administration: { perSecond: 50, burst: 100 },
  socketsMax: 2_000,
  socketsPerAddressMax: 200,
  subscriptionsPerSocketMax: 64,
  socketMessageBytesMax: 8_192,
  socketMessages: { perSecond: 20, burst: 40 },
  socketBufferBytesMax: 262_144,
  slowReaderTimeoutMs: 15_000,
  socketCheckIntervalMs: 2_000,
}

/** What the process's configuration says about the edge. */
export interface GatewayConfig {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  /** `production`: cookies are Secure and nothing is given away. */
  readonly profile: 'development' | 'production'
  /** Signs sessions; 32 characters or more. */
  readonly jwtSecret: string
  /** Bearer token of administration; 32 characters or more. */
  readonly adminToken: string
  /** What a new trading account gets in the development profile. */
  readonly demoBalance: Units
  /** Currency of trading accounts, e.g. `USDC`. */
  readonly accountCurrency: string
  /** Proxies whose `x-forwarded-for` is believed; empty: none. */
  readonly trustedProxyCidrs: readonly string[]
  /** Origins that may use sessions besides the gateway's own, e.g. `https://desk.example`. */
  readonly allowedOrigins: readonly string[]
  readonly limits: GatewayLimits
}
