import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atLeast, everyRunBelow } from '../../goals.ts'
import type { Group } from '../../row.ts'
import { ask, openConnection, requestText } from './support/http-client.ts'
import { closedLoop, openLoop, quantile, type Lane } from './support/loops.ts'
import { BANK_API_KEY, startPlatform, WEBHOOK_SECRET } from './support/platform.ts'
import { startProgram } from './support/program.ts'
import { closeLanes, type Place } from './support/traders.ts'

/** Customers, each with a connection of the bank's. */
const CUSTOMERS = 64
const WARM_UP_MS = 3_000
const MAXIMUM_MS = 4_000
const OPEN_LOOP_MS = 6_000

const keyed = (path: string, body: object): string =>
  requestText(
    'POST',
    path,
    `x-api-key: ${BANK_API_KEY}\r\nx-idempotency-key: ${randomUUID()}\r\n`,
    JSON.stringify(body),
  )

const openCustomer = async (place: Place, index: number): Promise<Lane> => {
  const bankUserId = `customer_${index}`
  const connection = await openConnection(place, (error) => {
    throw error
  })
  const deposit = { bankUserId, amount: '900000.00', currency: 'AZN', reference: 'opening' }
  const { status, text } = await ask(connection, keyed('/api/v1/deposits', deposit))
  if (status !== 201) throw new Error(`deposit: ${status} ${text}`)
  return {
    connection,
    next: () => keyed('/api/v1/trade/buy', { bankUserId, amount: '10.00', currency: 'AZN' }),
    judge: ({ status: answered, body }) => {
      // 202 would be a buy that was not done yet.
      if (answered !== 201) throw new Error(`buy: ${answered} ${body.toString('utf8')}`)
    },
  }
}

/** The outside world, the platform and the bank's lanes; stops them in the reverse order. */
const withBank = async <Value>(task: (lanes: readonly Lane[]) => Promise<Value>): Promise<Value> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-bench-outside-'))
  const simulators = await startProgram({
    file: 'load/bench/src/rows/wire/peers/simulators.ts',
    env: { SIMULATORS_FOLDER: folder, WEBHOOK_SECRET },
    ready: /ready on \S+ and \S+\n/,
  })
  try {
    const [, exchangeUrl = '', bankUrl = ''] = /ready on (\S+) and (\S+)/.exec(simulators.said) ?? []
    const platform = await startPlatform({
      env: { BOURSE_EXCHANGE_URL: exchangeUrl },
      alterBank: (spec) => {
        spec['callback'] = { url: bankUrl, timeoutMs: 5_000, retries: 3 }
      },
    })
    try {
      const lanes = await Promise.all(Array.from({ length: CUSTOMERS }, (_, index) => openCustomer(platform, index)))
      const value = await task(lanes)
      closeLanes(lanes)
      return value
    } finally {
      await platform.stop()
    }
  } finally {
    await simulators.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const BUY =
  'a buy by API key: ticker asked, hold, authorization by the bank, order, four entries and the spread booked, answered ' +
  'COMPLETED; webhooks go out beside it; exchange and bank simulators in a process of their own'

/** Buys through the bank API. */
export const bank: Group = {
  name: 'wire/bank',
  rows: [
    {
      name: 'wire/bank',
      what: `${CUSTOMERS} customers in a closed loop: ${BUY}.`,
      unit: 'buys/s',
      kind: 'wire to wire',
      goal: atLeast(1_000, 'buys/s'),
    },
    {
      name: 'wire/bank-p99',
      what: 'p99 of the same at half of that rate: independent arrivals, latency from the moment a buy was due.',
      unit: 'ms',
      kind: 'wire to wire',
      goal: everyRunBelow(50, 'ms'),
    },
  ],
  measure: () =>
    withBank(async (lanes) => {
      await closedLoop(lanes, WARM_UP_MS)
      const maximum = await closedLoop(lanes, MAXIMUM_MS)
      const { latenciesMs } = await openLoop(lanes, maximum / 2, OPEN_LOOP_MS)
      return {
        'wire/bank': { value: maximum, peers: {} },
        'wire/bank-p99': { value: quantile(latenciesMs, 0.99), peers: {} },
      }
    }),
}
