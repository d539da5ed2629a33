import type { AlertRule } from '../alert-rule.ts'
import { BRIDGE_ALERTS } from './bridge.ts'
import { BROKER_ALERTS } from './broker.ts'
import { GATEWAY_ALERTS } from './gateway.ts'
import { MARKET_ALERTS } from './market.ts'
import { MONEY_ALERTS } from './money.ts'
import { OPERATOR_ALERTS } from './operator.ts'
import { PARTITION_ALERTS } from './partitions.ts'
import { PROCESS_ALERTS } from './process.ts'
import { SERVER_ALERTS } from './servers.ts'
import { SLO_ALERTS } from './slo.ts'

/** Every alert of the platform, by component. */
export const ALERTS: readonly AlertRule[] = [
  ...SLO_ALERTS,
  ...MONEY_ALERTS,
  ...PARTITION_ALERTS,
  ...SERVER_ALERTS,
  ...BROKER_ALERTS,
  ...MARKET_ALERTS,
  ...BRIDGE_ALERTS,
  ...GATEWAY_ALERTS,
  ...PROCESS_ALERTS,
  ...OPERATOR_ALERTS,
]
