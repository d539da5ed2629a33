import type { Config } from '@bourse/common/config/read.ts'
import type { MadeKey } from './platform/bank-secrets.ts'

/** What the banner tells of a platform, however many processes it is. */
export interface BannerFacts {
  readonly gatewayUrl: string
  /** Where metrics and control are, when they have a port of their own. */
  readonly telemetryUrl: string | null
  readonly exchangeUrl: string
  /** Null when no manifest names the demo bank. */
  readonly bankUrl: string | null
  /** Where the administrator's token is kept when it was not configured. */
  readonly adminTokenFile: string | null
  /** API keys made at this start. */
  readonly madeKeys: readonly MadeKey[]
}

/** The lines printed at the start: where everything is, keys that are shown once, then what was found. */
export const bannerOf = (config: Config, facts: BannerFacts, findings: readonly string[]): string[] => [
  `Bourse (${config.profile})`,
  `  platform        ${facts.gatewayUrl}`,
  `  console         ${facts.gatewayUrl}/`,
  `  API reference   ${facts.gatewayUrl}/docs`,
  ...(facts.telemetryUrl === null ? [] : [`  telemetry       ${facts.telemetryUrl}`]),
  `  exchange        ${facts.exchangeUrl}`,
  ...(facts.bankUrl === null ? [] : [`  demo bank       ${facts.bankUrl}`]),
  `  data            ${config.dataDir}`,
  ...(facts.adminTokenFile === null ? [] : [`  admin token in  ${facts.adminTokenFile}`]),
  ...facts.madeKeys.map(({ bank, apiKey }) => `  API key of bank ${bank} (shown once): ${apiKey}`),
  ...findings.map((finding) => `  ${finding}`),
]
