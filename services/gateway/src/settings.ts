import type { Config } from '@bourse/common/config/read.ts'
import { defaultGatewayLimits, type GatewayConfig } from './config.ts'

const perMinute = (count: number): { perSecond: number; burst: number } => ({ perSecond: count / 60, burst: count })

/** The edge's settings from the process's configuration. */
export const gatewayConfigOf = (
  config: Config,
  secrets: { readonly jwtSecret: string; readonly adminToken: string },
): GatewayConfig => ({
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
    anonymousPerAddress: {
      perSecond: config.limits.addressRequestsPerSecond,
      burst: config.limits.addressRequestsPerSecond * 3,
    },
    perUser: { perSecond: config.limits.userRequestsPerSecond, burst: config.limits.userRequestsPerSecond * 2 },
    signInPerAddress: perMinute(config.limits.addressSignInsPerMinute),
    signUpPerAddress: perMinute(config.limits.addressSignInsPerMinute),
    signInPerEmail: perMinute(config.limits.emailSignInsPerMinute),
    socketsMax: config.limits.webSocketsMax,
    socketsPerAddressMax: config.limits.addressWebSocketsMax,
  },
})
