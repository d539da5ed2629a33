import { casesOf, type RuleCase } from './case.ts'

const USDC = { currency: 'USDC' }

/** Situations of the books. */
export const MONEY_CASES: readonly RuleCase[] = [
  ...casesOf('BourseLedgerImbalance')(
    [
      'at once when a partition lacks one unit',
      {
        'bourse_ledger_imbalance_units{partition="ledger/0",currency="USDC"}': '0x10 -1x10',
        'bourse_ledger_imbalance_units{partition="ledger/1",currency="USDC"}': '0x20',
      },
      165,
      [{ severity: 'critical', partition: 'ledger/0', currency: 'USDC' }],
    ],
    [
      'while all sums are zero',
      { 'bourse_ledger_imbalance_units{partition="ledger/0",currency="USDC"}': '0x20' },
      300,
      [],
    ],
  ),
  ...casesOf('BourseClearingNotZero')(
    [
      'when partitions do not cancel out and nothing is on its way',
      {
        'bourse_ledger_clearing_units{partition="ledger/0",currency="USDC"}': '500x40',
        'bourse_ledger_clearing_units{partition="ledger/1",currency="USDC"}': '-400x40',
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '0x40',
      },
      360,
      [{ severity: 'critical', ...USDC }],
    ],
    [
      'while effects are on their way now and then',
      {
        'bourse_ledger_clearing_units{partition="ledger/0",currency="USDC"}': '500x40',
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}':
          '0 0 3 0 0 0 2 0 0 0 1 0 0 5 0 0 0 1 0 0 1 0 0 0 4 0 0 0 0 1',
      },
      420,
      [],
    ],
    [
      'when one partition owes what another has',
      {
        'bourse_ledger_clearing_units{partition="ledger/0",currency="USDC"}': '500x40',
        'bourse_ledger_clearing_units{partition="ledger/1",currency="USDC"}': '-500x40',
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '0x40',
      },
      600,
      [],
    ],
  ),
  ...casesOf('BourseClearingNotZero')(
    [
      'when large balances cancel out but for their rounding',
      {
        'bourse_ledger_clearing_units{partition="ledger/0",currency="USDC"}': '100000000000000000x40',
        'bourse_ledger_clearing_units{partition="ledger/1",currency="USDC"}': '-99999999999999984x40',
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '0x40',
      },
      600,
      [],
    ],
    [
      'while a partition that others owe is not seen',
      {
        'bourse_ledger_clearing_units{partition="ledger/0",currency="USDC"}': '500x40',
        'bourse_ledger_clearing_units{partition="ledger/1",currency="USDC"}': '-500x4 stale',
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '0x40',
        'bourse_partition_serving{partition="ledger/0"}': '1x40',
        'bourse_partition_serving{partition="ledger/1"}': '1x4 stale',
      },
      600,
      [],
    ],
  ),
  ...casesOf('BourseInsuranceFundLow', 300)(
    [
      'when it paid more than half within hours',
      { 'bourse_ledger_system_units{partition="ledger/0",currency="USDC",kind="insurance"}': '1000x24 400x6' },
      8_400,
      [{ severity: 'warning', ...USDC }],
    ],
    [
      'when it paid a tenth',
      { 'bourse_ledger_system_units{partition="ledger/0",currency="USDC",kind="insurance"}': '1000x24 900x6' },
      8_400,
      [],
    ],
    [
      'when another account paid',
      { 'bourse_ledger_system_units{partition="ledger/0",currency="USDC",kind="house"}': '1000x24 400x6' },
      8_400,
      [],
    ],
  ),
  ...casesOf('BourseDeficits')(
    [
      'at the first deficit of a process',
      { 'bourse_trading_deficits_total{symbol="BTC_USDC"}': '_x10 1x10' },
      180,
      [{ severity: 'warning', symbol: 'BTC_USDC' }],
    ],
    [
      'when scrapes were lost for a while',
      { 'bourse_trading_deficits_total{symbol="BTC_USDC"}': '1x40 stale _x3 1x100' },
      1_545,
      [],
    ],
    [
      'when the process began anew and has another',
      { 'bourse_trading_deficits_total{symbol="BTC_USDC"}': '5x20 stale _x70 1x20' },
      1_380,
      [{ severity: 'warning', symbol: 'BTC_USDC' }],
    ],
    ['when the last was long ago', { 'bourse_trading_deficits_total{symbol="BTC_USDC"}': '1x100' }, 1_500, []],
  ),
  ...casesOf('BourseHoldsNearLimit')(
    [
      'when four fifths of the table are used',
      { 'bourse_ledger_holds{partition="ledger/2"}': '220000x20' },
      120,
      [{ severity: 'warning', partition: 'ledger/2' }],
    ],
    ['when the table is half full', { 'bourse_ledger_holds{partition="ledger/2"}': '131072x20' }, 120, []],
  ),
]
