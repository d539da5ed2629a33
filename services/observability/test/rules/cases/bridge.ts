import { casesOf, type RuleCase } from './case.ts'

const calls = (outcome: string): string =>
  `bourse_bridge_calls_total{target="exchange",operation="order",outcome="${outcome}"}`
const trades = (outcome: string): string => `bourse_bridge_trades_total{bank="alpha",side="BUY",outcome="${outcome}"}`
const BANK = { bank: 'alpha' }

/** Situations of banks and the exchange. */
export const BRIDGE_CASES: readonly RuleCase[] = [
  ...casesOf('BourseExchangeDown')(
    [
      'when no call is answered',
      { [calls('failed')]: '0+5x40', [calls('answered')]: '9x40' },
      300,
      [{ severity: 'critical', operation: 'order' }],
    ],
    ['when one call of ten fails', { [calls('failed')]: '0+1x40', [calls('answered')]: '0+9x40' }, 300, []],
    ['when nobody calls', { [calls('failed')]: '9x40' }, 300, []],
  ),
  ...casesOf('BourseExchangeRejecting')(
    [
      'when it declines half',
      { [calls('declined')]: '0+5x40', [calls('answered')]: '0+5x40' },
      300,
      [{ severity: 'warning', operation: 'order' }],
    ],
    ['when it declines one of twenty', { [calls('declined')]: '0+1x40', [calls('answered')]: '0+19x40' }, 300, []],
  ),
  ...casesOf('BourseBankDown')(
    [
      'for the bank that does not answer',
      {
        [trades('BANK_CONNECTION_ERROR')]: '0+5x40',
        [trades('COMPLETED')]: '0+1x40',
        'bourse_bridge_trades_total{bank="beta",side="BUY",outcome="COMPLETED"}': '0+50x40',
      },
      480,
      [{ severity: 'warning', ...BANK }],
    ],
    [
      'when it rarely does not',
      { [trades('BANK_CONNECTION_ERROR')]: '0+1x40', [trades('COMPLETED')]: '0+9x40' },
      480,
      [],
    ],
  ),
  ...casesOf('BourseBankDeclining', 30)(
    [
      'when it declines most',
      { [trades('BANK_DECLINED')]: '0+8x40', [trades('COMPLETED')]: '0+2x40' },
      900,
      [{ severity: 'info', ...BANK }],
    ],
    ['when it declines few', { [trades('BANK_DECLINED')]: '0+2x40', [trades('COMPLETED')]: '0+8x40' }, 900, []],
  ),
  ...casesOf('BourseBankTradesPending')(
    [
      'when one waits for minutes',
      { 'bourse_bridge_oldest_pending_seconds{partition="bridge/1"}': '0+15x20' },
      180,
      [{ severity: 'warning', partition: 'bridge/1' }],
    ],
    ['when they end within seconds', { 'bourse_bridge_oldest_pending_seconds{partition="bridge/1"}': '3x20' }, 180, []],
  ),
  ...casesOf('BourseWebhooksNotTaken')(
    [
      'when they gather for ten minutes',
      { 'bourse_bridge_webhooks_waiting{bank="alpha"}': '2x20 2+1x60' },
      900,
      [{ severity: 'warning', ...BANK }],
    ],
    ['while they become fewer', { 'bourse_bridge_webhooks_waiting{bank="alpha"}': '500-5x80' }, 900, []],
    [
      'when they are taken now and then',
      { 'bourse_bridge_webhooks_waiting{bank="alpha"}': '4x20 0x2 4x20 0x2 4x30' },
      900,
      [],
    ],
  ),
]
