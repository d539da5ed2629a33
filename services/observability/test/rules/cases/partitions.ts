import { TEN_MINUTES, casesOf, type RuleCase } from './case.ts'

const HERE = { severity: 'warning', partition: 'ledger/0' }

const events = (event: string): string => `bourse_partition_events_total{partition="ledger/0",event="${event}"}`

const STANDSTILL: readonly RuleCase[] = [
  ...casesOf('BoursePartitionNotServed')(
    [
      'when its shard is gone',
      {
        'bourse_partition_serving{partition="ledger/0",pod="a"}': '1x10 stale',
        'bourse_partition_serving{partition="ledger/1",pod="b"}': '1x40',
      },
      240,
      [{ severity: 'critical', partition: 'ledger/0' }],
    ],
    [
      'when its shard recovers and recovers',
      { 'bourse_partition_serving{partition="trading/BTC_USDC/0",pod="a"}': '0x20' },
      60,
      [{ severity: 'critical', partition: 'trading/BTC_USDC/0' }],
    ],
    [
      'hours after its shard went and did not come back',
      {
        'bourse_partition_serving{partition="trading/BTC_USDC/0",pod="a"}': '1x10 stale',
        'bourse_market_feed_live{symbol="BTC_USDC"}': '1x1000',
      },
      14_000,
      [{ severity: 'critical', partition: 'trading/BTC_USDC/0' }],
    ],
    [
      'when its market is not seen either',
      {
        'bourse_partition_serving{partition="trading/BTC_USDC/0",pod="a"}': '1x10 stale',
        'bourse_market_feed_live{symbol="BTC_USDC"}': '1x10 stale',
      },
      240,
      [{ severity: 'critical', partition: 'trading/BTC_USDC/0' }],
    ],
    [
      'when its pair was deleted',
      {
        'bourse_partition_serving{partition="trading/BTC_USDC/0",pod="a"}': '1x10 stale',
        'bourse_partition_serving{partition="trading/ETH_USDC/0",pod="b"}': '1x40',
        'bourse_market_feed_live{symbol="BTC_USDC"}': '1x10 stale',
        'bourse_market_feed_live{symbol="ETH_USDC"}': '1x40',
      },
      240,
      [],
    ],
    [
      'when another shard took it',
      {
        'bourse_partition_serving{partition="ledger/0",pod="a"}': '1x10 stale',
        'bourse_partition_serving{partition="ledger/0",pod="b"}': '_x10 0 1x30',
      },
      300,
      [],
    ],
    [
      'when one shard prepares it and another serves it',
      {
        'bourse_partition_serving{partition="ledger/0",pod="a"}': '1x40',
        'bourse_partition_serving{partition="ledger/0",pod="b"}': '0x40',
      },
      300,
      [],
    ],
  ),
  ...casesOf('BoursePartitionStuck')(
    [
      'though another shard that prepares it has nothing waiting',
      {
        'bourse_partition_waiting_commands{partition="ledger/0",pod="a"}': '3x40',
        'bourse_partition_waiting_commands{partition="ledger/0",pod="b"}': '0x40',
        'bourse_partition_sequence{partition="ledger/0",pod="a"}': '550x40',
        'bourse_partition_sequence{partition="ledger/0",pod="b"}': '550x40',
      },
      300,
      [{ severity: 'critical', partition: 'ledger/0' }],
    ],
    [
      'when commands wait and nothing is written',
      {
        'bourse_partition_waiting_commands{partition="ledger/0"}': '0x10 3x30',
        'bourse_partition_sequence{partition="ledger/0"}': '0+50x10 550x30',
      },
      300,
      [{ severity: 'critical', partition: 'ledger/0' }],
    ],
    [
      'when commands wait because there are many',
      {
        'bourse_partition_waiting_commands{partition="ledger/0"}': `3x${TEN_MINUTES}`,
        'bourse_partition_sequence{partition="ledger/0"}': `0+50x${TEN_MINUTES}`,
      },
      300,
      [],
    ],
    [
      'when nobody wants anything',
      {
        'bourse_partition_waiting_commands{partition="ledger/0"}': `0x${TEN_MINUTES}`,
        'bourse_partition_sequence{partition="ledger/0"}': `77x${TEN_MINUTES}`,
      },
      300,
      [],
    ],
  ),
  ...casesOf('BoursePartitionRebuilding')(
    ['when it rebuilt its state', { [events('rebuilds')]: '0x10 1x10' }, 225, [HERE]],
    ['when it never did', { [events('rebuilds')]: '0x30', [events('records')]: '0+7x30' }, 300, []],
  ),
  ...casesOf('BoursePartitionGivenWay')(
    ['when a shard gave way', { 'bourse_shard_given_way_total{partition="ledger/0"}': '_x10 1x10' }, 225, [HERE]],
    ['when the last time was long ago', { 'bourse_shard_given_way_total{partition="ledger/0"}': '1x60' }, 900, []],
  ),
  ...casesOf('BourseEngineFault')(
    ['when a command was refused as a fault', { [events('engineFaults')]: '0x10 1x10' }, 225, [HERE]],
    ['when its first event ever is a trap', { [events('traps')]: '_x10 1x10' }, 225, [HERE]],
    ['when commands only expire', { [events('expired')]: '0+5x30', [events('traps')]: '0x30' }, 300, []],
  ),
  ...casesOf('BoursePartitionOverloaded')(
    ['when commands are refused for a minute', { [events('overloaded')]: '0+20x20' }, 180, [HERE]],
    ['when it takes all', { [events('overloaded')]: '0x20', [events('commands')]: '0+900x20' }, 180, []],
  ),
]

const append = (le: string): string =>
  `bourse_partition_stage_seconds_bucket{partition="ledger/0",stage="append",le="${le}"}`

const STORAGE: readonly RuleCase[] = [
  ...casesOf('BourseAppendSlow')(
    [
      'when one append of ten takes half a second',
      {
        [append('0.05')]: '0+90x40',
        [append('0.25')]: '0+90x40',
        [append('0.5')]: '0+100x40',
        [append('+Inf')]: '0+100x40',
      },
      480,
      [HERE],
    ],
    [
      'when appends are quick',
      { [append('0.05')]: '0+100x40', [append('0.25')]: '0+100x40', [append('+Inf')]: '0+100x40' },
      480,
      [],
    ],
    ['when there are none', { [append('0.05')]: '9x40', [append('0.25')]: '9x40', [append('+Inf')]: '10x40' }, 480, []],
  ),
  ...casesOf('BourseAppendRetried')(
    ['when an append was repeated', { [events('appendRetries')]: '0x10 1x10' }, 225, [HERE]],
    ['when all were taken at once', { [events('appendRetries')]: '0x30' }, 300, []],
  ),
  ...casesOf('BourseSnapshotFailing')(
    [
      'when one failed',
      { [events('snapshotsFailed')]: '0x10 1x10', [events('snapshotsStored')]: '0+1x20' },
      225,
      [HERE],
    ],
    ['while they are stored', { [events('snapshotsFailed')]: '0x30', [events('snapshotsStored')]: '0+1x30' }, 300, []],
  ),
  ...casesOf('BourseSnapshotTooOld', 60)(
    [
      'when none was stored for more than an hour',
      { 'bourse_partition_snapshot_age_seconds{partition="ledger/0"}': '3500+60x60' },
      900,
      [HERE],
    ],
    [
      'when they come every quarter of an hour',
      { 'bourse_partition_snapshot_age_seconds{partition="ledger/0"}': '0+60x15 0+60x15' },
      1_800,
      [],
    ],
  ),
  ...casesOf('BourseViewLag')(
    [
      'when views stand still',
      {
        'bourse_partition_view_lag_records{partition="ledger/0"}': '0+50x40',
        'bourse_partition_sequence{partition="ledger/0"}': '0+50x40',
      },
      300,
      [HERE],
    ],
    [
      'when the last records of a quiet partition are never folded',
      {
        'bourse_partition_view_lag_records{partition="ledger/0"}': '2x40',
        'bourse_partition_sequence{partition="ledger/0"}': '90x40',
      },
      300,
      [HERE],
    ],
    [
      'when views are a moment behind a busy partition',
      {
        'bourse_partition_view_lag_records{partition="ledger/0"}': '20x40',
        'bourse_partition_sequence{partition="ledger/0"}': '0+50x40',
      },
      300,
      [],
    ],
  ),
  ...casesOf('BourseEffectsUnconfirmed')(
    [
      'when the oldest is never confirmed though others are',
      {
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '1x40',
        'bourse_partition_cursor_lag_records{partition="ledger/0"}': '0+50x40',
        'bourse_partition_sequence{partition="ledger/0"}': '10+50x40',
      },
      540,
      [HERE],
    ],
    [
      'when half of the room for them is used',
      {
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '0+5000x40',
        'bourse_partition_cursor_lag_records{partition="ledger/0"}': '5x40',
        'bourse_partition_sequence{partition="ledger/0"}': '10+50x40',
      },
      300,
      [HERE],
    ],
    [
      'when a busy partition always has some',
      {
        'bourse_partition_unconfirmed_effects{partition="ledger/0"}': '40x40',
        'bourse_partition_cursor_lag_records{partition="ledger/0"}': '5x40',
        'bourse_partition_sequence{partition="ledger/0"}': '10+50x40',
      },
      540,
      [],
    ],
  ),
]

/** Situations of partitions. */
export const PARTITION_CASES: readonly RuleCase[] = [...STANDSTILL, ...STORAGE]
