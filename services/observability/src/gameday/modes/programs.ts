import type { WatchedPlatform } from '../../servers/watched-platform.ts'
import type { Mode } from '../mode.ts'
import { BANK_PAGES, ORDER_PAGES, PRICE_PAGES, TRADING_PAGES } from '../pages.ts'
import { killAgain, killForGood, starve } from '../strike.ts'

const KILLED = 'kill -9, and its port is taken so that it can not come back'

/** Processes that die, or get no processor. */
export const PROGRAM_MODES: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'trading-shard-killed',
    title: 'A trading shard is killed and does not come back',
    door: KILLED,
    tells: ['BoursePartitionNotServed', 'BourseTargetDown'],
    alongside: [...ORDER_PAGES, 'BoursePartitionStuck'],
    inject: (platform) => killForGood(platform, 'trading-0'),
  },
  {
    name: 'ledger-killed',
    title: 'The ledger is killed and does not come back',
    door: KILLED,
    tells: ['BoursePartitionNotServed', 'BourseMetricsAbsent'],
    alongside: TRADING_PAGES,
    inject: (platform) => killForGood(platform, 'ledger-0'),
  },
  {
    name: 'gateway-killed',
    title: 'The only gateway is killed and does not come back',
    door: KILLED,
    tells: ['BourseMetricsAbsent', 'BourseTargetDown'],
    alongside: [...ORDER_PAGES, ...BANK_PAGES],
    inject: (platform) => killForGood(platform, 'gateway-0'),
  },
  {
    name: 'market-killed',
    title: 'The market is killed and does not come back',
    door: KILLED,
    tells: ['BourseMetricsAbsent', 'BourseTargetDown'],
    alongside: PRICE_PAGES,
    inject: (platform) => killForGood(platform, 'market'),
  },
  {
    name: 'shard-restarts',
    title: 'A shard dies again and again',
    door: 'kill -9, three times, each time after it came back',
    tells: ['BourseProcessRestarts'],
    alongside: [...ORDER_PAGES, 'BoursePartitionNotServed', 'BoursePartitionStuck'],
    inject: async (platform) => {
      await killAgain(platform, 'trading-1', 3)
      return () => Promise.resolve()
    },
  },
  {
    name: 'event-loop-blocked',
    title: 'A shard gets the processor a quarter of the time',
    door: 'SIGSTOP for 300 ms of every 400 ms',
    tells: ['BourseEventLoopBlocked'],
    alongside: ORDER_PAGES,
    inject: (platform) => starve(platform, 'trading-0', 300, 400),
  },
]
