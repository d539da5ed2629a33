import { everyRunBelow, ratioAtLeast } from '../../goals.ts'
import type { Group } from '../../row.ts'
import { CONNECTIONS, compareWithPeers } from './support/compare.ts'
import { closedLoop, openLoop, quantile } from './support/loops.ts'
import { startPlatform } from './support/platform.ts'
import {
  balanceAnswer,
  closeLanes,
  openAnswer,
  openTrade,
  queryLane,
  signUpTraders,
  tradeLane,
  type Trader,
} from './support/traders.ts'

const MAXIMUM_MS = 3_000
const WARM_UP_MS = 3_000
const OPEN_LOOP_MS = 6_000

const withTraders = async <Value>(task: (traders: readonly Trader[]) => Promise<Value>): Promise<Value> => {
  const platform = await startPlatform()
  try {
    return await task(await signUpTraders(platform, CONNECTIONS))
  } finally {
    await platform.stop()
  }
}

const PEERS =
  'Peers by the same client: node-http answers the same bytes, koa-echo is koa with koa-body. ' +
  `${CONNECTIONS} kept connections, one user each.`

/** GET_BALANCE over HTTP. */
export const engineQuery: Group = {
  name: 'wire/engine-query',
  rows: [
    {
      name: 'wire/engine-query',
      what: `GET_BALANCE of accounts without a trade: session, schema, a strong read of the ledger. ${PEERS}`,
      unit: 'requests/s',
      kind: 'wire to wire',
      goal: ratioAtLeast('koa-echo', 0.6),
    },
    {
      name: 'wire/engine-query-open',
      what:
        'GET_BALANCE of accounts with an open trade: besides, strong reads of the three markets and of the ledger after them. ' +
        'Peers as above.',
      unit: 'requests/s',
      kind: 'wire to wire',
      goal: ratioAtLeast('koa-echo', 0.3),
    },
  ],
  measure: () =>
    withTraders(async (traders) => {
      const lanes = traders.map(queryLane)
      const flat = await compareWithPeers(lanes, 'query', await balanceAnswer(traders[0]!))
      for (const trader of traders) await openTrade(trader)
      const open = await compareWithPeers(lanes, 'query', await balanceAnswer(traders[0]!))
      closeLanes(lanes)
      return { 'wire/engine-query': flat, 'wire/engine-query-open': open }
    }),
}

/** CREATE_TRADE and CLOSE_TRADE over HTTP. */
export const engineTrade: Group = {
  name: 'wire/engine-trade',
  rows: [
    {
      name: 'wire/engine-trade',
      what:
        'CREATE_TRADE and CLOSE_TRADE in turn: session, schema, idempotency key, ledger and trading journaled and flushed. ' +
        PEERS,
      unit: 'requests/s',
      kind: 'wire to wire',
      goal: ratioAtLeast('koa-echo', 0.3),
    },
  ],
  measure: () =>
    withTraders(async (traders) => {
      const lanes = traders.map((trader) => tradeLane(trader, ['open', 'close']))
      const sample = await compareWithPeers(lanes, 'trade', await openAnswer(traders[0]!))
      closeLanes(lanes)
      return { 'wire/engine-trade': sample }
    }),
}

/** Latency at half load. */
export const engineP99: Group = {
  name: 'wire/engine-p99',
  rows: [
    {
      name: 'wire/engine-p99',
      what:
        'p99 of CREATE_TRADE, GET_BALANCE and CLOSE_TRADE in turn at half of the rate that a closed loop of the same ' +
        'reached just before; independent arrivals, latency from the moment a request was due.',
      unit: 'ms',
      kind: 'wire to wire',
      goal: everyRunBelow(10, 'ms'),
    },
  ],
  measure: () =>
    withTraders(async (traders) => {
      const lanes = traders.map((trader) => tradeLane(trader, ['open', 'query', 'close']))
      await closedLoop(lanes, WARM_UP_MS)
      const maximum = await closedLoop(lanes, MAXIMUM_MS)
      const { latenciesMs } = await openLoop(lanes, maximum / 2, OPEN_LOOP_MS)
      closeLanes(lanes)
      return { 'wire/engine-p99': { value: quantile(latenciesMs, 0.99), peers: {} } }
    }),
}
