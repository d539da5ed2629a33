import { DASHBOARDS } from './dashboards.ts'
import type { DashboardUid } from './specification.ts'

const textOf = (uid: DashboardUid): string =>
  `${JSON.stringify(DASHBOARDS.find((dashboard) => dashboard.uid === uid)!.json, null, 2)}\n`

/** Text of the overview’s file. */
export const generateOverview = (): string => textOf('bourse-overview')
/** Text of the shards’ file. */
export const generateShards = (): string => textOf('bourse-shards')
/** Text of the money dashboard’s file. */
export const generateMoney = (): string => textOf('bourse-money')
/** Text of the bridge’s file. */
export const generateBridge = (): string => textOf('bourse-bridge')
/** Text of the market data’s file. */
export const generateMarket = (): string => textOf('bourse-market')
/** Text of the broker’s file. */
export const generateBroker = (): string => textOf('bourse-broker')
/** Text of the operator’s file. */
export const generateOperator = (): string => textOf('bourse-operator')
/** Text of the Node dashboard’s file. */
export const generateNode = (): string => textOf('bourse-node')
