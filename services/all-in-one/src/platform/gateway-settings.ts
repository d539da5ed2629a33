import type { Config } from '@bourse/common/config/read.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { defaultGatewayLimits, type GatewayConfig } from '@bourse/gateway/config.ts'
import type { BankSpec, PairSpec } from '@bourse/gateway/deps.ts'

const perMinute = (count: number): { perSecond: number; burst: number } => ({ perSecond: count / 60, burst: count })

/** The edge's settings from the process's configuration. */
export const gatewayConfigOf = (config: Config, secrets: { readonly jwtSecret: string; readonly adminToken: string }): GatewayConfig => ({
  host: config.host,
  port: config.port,
  profile: config.profile,
  jwtSecret: secrets.jwtSecret,
  adminToken: secrets.adminToken,
  demoBalance: config.profile === 'development' ? config.demoBalance : 0n,
  accountCurrency: 'USDC',
  trustedProxyCidrs: config.trustedProxies,
  allowedOrigins: config.allowedOrigins,
  limits: {
    ...defaultGatewayLimits,
    bodyBytesMax: config.limits.bodyBytesMax,
    requestTimeoutMs: config.limits.requestTimeoutMs,
    connectionsMax: config.limits.connectionsMax,
    requestsInFlightMax: config.limits.requestsInFlightMax,
    anonymousPerAddress: { perSecond: config.limits.addressRequestsPerSecond, burst: config.limits.addressRequestsPerSecond * 3 },
    perUser: { perSecond: config.limits.userRequestsPerSecond, burst: config.limits.userRequestsPerSecond * 2 },
    signInPerAddress: perMinute(config.limits.addressSignInsPerMinute),
    signUpPerAddress: perMinute(config.limits.addressSignInsPerMinute),
    signInPerEmail: perMinute(config.limits.emailSignInsPerMinute),
    socketsMax: config.limits.webSocketsMax,
    socketsPerAddressMax: config.limits.addressWebSocketsMax,
  },
})

const text = (units: bigint): string => formatAmount(units)
const optionalText = (units: bigint | null): string | undefined => (units === null ? undefined : formatAmount(units))

/** A pair as the edge shows it: decimals as strings. */
export const shownPair = ({ spec }: TradingPair): PairSpec => ({
  symbol: spec.symbol,
  baseAsset: spec.baseAsset,
  quoteAsset: spec.quoteAsset,
  tickSize: text(spec.tickSize),
  lotSize: text(spec.lotSize),
  state: spec.state,
  margin: {
    maxLeverage: spec.margin.maxLeverage,
    tiers: spec.margin.tiers.map((tier) => ({
      notionalFloor: text(tier.notionalFloor), maintenanceRate: text(tier.maintenanceRate), maxLeverage: tier.maxLeverage,
    })),
  },
  fees: { openBps: text(spec.fees.openBps), closeBps: text(spec.fees.closeBps), liquidationBps: text(spec.fees.liquidationBps) },
  spreadBps: text(spec.spreadBps),
  funding: { intervalSeconds: spec.funding.intervalSeconds, rateBps: text(spec.funding.rateBps), capBps: text(spec.funding.capBps) },
  prices: { maxAgeSeconds: spec.prices.maxAgeSeconds },
  limits: {
    maxOpenTrades: spec.limits.maxOpenTrades ?? undefined,
    maxNotional: optionalText(spec.limits.maxNotional),
    maxNetNotional: optionalText(spec.limits.maxNetNotional),
    minMargin: text(spec.limits.minMargin),
  },
})

/** What the edge judges of a bank at the door. */
export const shownBank = ({ name, spec }: Bank): BankSpec => ({
  name, state: spec.state, requestsPerSecond: spec.limits.requestsPerSecond, allowedCidrs: spec.allowedCidrs,
})
