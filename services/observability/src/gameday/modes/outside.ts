import { WebSocket } from 'ws'
import { createCaller } from '@bourse/all-in-one/demo/call.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { WEB_SOCKETS_MAX, type WatchedPlatform } from '../../servers/watched-platform.ts'
import { clock } from '../../servers/program.ts'
import type { TickerMood } from '../../servers/ticker.ts'
import type { Heal, Mode } from '../mode.ts'
import { BANK_PAGES, PRICE_PAGES } from '../pages.ts'
import { freeze } from '../strike.ts'

type Fault = { readonly on: string; readonly kind: 'reject' | 'error' | 'hang' }

/** Tells a simulator to fail, until healed. */
const simulate = async (url: string, ...faults: readonly Fault[]): Promise<Heal> => {
  const tell = async (told: readonly Fault[]): Promise<void> => {
    const { status } = await createCaller(url, {})('PUT', '/control', { faults: told })
    if (status !== 200) throw new Error(`the simulator does not take its faults: ${status}`)
  }
  await tell(faults)
  return () => tell([])
}

const feed = (platform: WatchedPlatform, mood: TickerMood): Promise<Heal> => {
  platform.ticker.behave(mood, 'SOL_USDC')
  return Promise.resolve(() => Promise.resolve(platform.ticker.behave('well', 'SOL_USDC')))
}

const PRICES: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'feed-silent',
    title: 'A price source is silent: the price grows stale',
    door: 'the ticker of one pair answers 503',
    tells: ['BourseFeedDead', 'BourseFeedFaults'],
    alongside: PRICE_PAGES,
    slowSeconds: 10,
    inject: (platform) => feed(platform, 'silent'),
  },
  {
    name: 'feed-hanging',
    title: 'A price source takes questions and never answers',
    door: 'the ticker of one pair leaves requests open',
    tells: ['BourseFeedDead'],
    alongside: PRICE_PAGES,
    slowSeconds: 10,
    inject: (platform) => feed(platform, 'hanging'),
  },
  {
    name: 'feed-garbage',
    title: 'A price source answers garbage now and then',
    door: 'every fourth answer of the ticker of one pair is a web page',
    tells: ['BourseFeedFaults'],
    inject: (platform) => feed(platform, 'garbage'),
  },
  {
    name: 'quotes-rejected',
    title: 'Half of the quotes are crossed',
    door: 'the ticker of one pair bids above its ask every second time',
    tells: ['BourseQuotesRejected'],
    inject: (platform) => feed(platform, 'crossed'),
  },
]

const EXCHANGE: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'exchange-down',
    title: 'The exchange answers nobody',
    door: 'SIGSTOP of the simulated exchange',
    tells: ['BourseExchangeDown'],
    alongside: BANK_PAGES,
    slowSeconds: 10,
    inject: (platform) => freeze(platform, 'mock-exchange'),
  },
  {
    name: 'exchange-rejecting',
    title: 'The exchange rejects every order',
    door: 'PUT /control of the simulated exchange',
    tells: ['BourseExchangeRejecting'],
    inject: ({ exchangeUrl }) => simulate(exchangeUrl, { on: 'order', kind: 'reject' }),
  },
  {
    name: 'exchange-hanging',
    title: 'The exchange takes orders and answers neither them nor questions',
    door: 'PUT /control of the simulated exchange',
    tells: ['BourseBankTradesPending'],
    alongside: [...BANK_PAGES, 'BourseExchangeDown'],
    slowSeconds: 90,
    inject: ({ exchangeUrl }) =>
      simulate(exchangeUrl, { on: 'order', kind: 'hang' }, { on: 'order-status', kind: 'hang' }),
  },
]

const BANK: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'bank-down',
    title: 'The bank answers 500',
    door: 'PUT /control of the simulated bank',
    tells: ['BourseBankDown'],
    alongside: BANK_PAGES,
    slowSeconds: 10,
    inject: ({ bankUrl }) => simulate(bankUrl, { on: 'authorization', kind: 'error' }),
  },
  {
    name: 'bank-declines',
    title: 'The bank declines every trade',
    door: 'PUT /control of the simulated bank',
    tells: ['BourseBankDeclining'],
    inject: ({ bankUrl }) => simulate(bankUrl, { on: 'authorization', kind: 'reject' }),
  },
  {
    name: 'webhooks-not-taken',
    title: 'The bank does not take its events',
    door: 'PUT /control of the simulated bank',
    tells: ['BourseWebhooksNotTaken'],
    slowSeconds: 10,
    inject: ({ bankUrl }) => simulate(bankUrl, { on: 'webhook', kind: 'reject' }),
  },
]

const halt = async ({ gatewayUrl, adminToken }: WatchedPlatform): Promise<Heal> => {
  const call = createCaller(gatewayUrl, { authorization: `Bearer ${adminToken}` })
  const order = async (act: 'halt' | 'reopen'): Promise<void> => {
    const path = `/api/v1/admin/markets/SOL_USDC/${act}`
    const { status } = await call(
      'POST',
      path,
      { reason: 'a drill' },
      { 'x-idempotency-key': createSystemIds().uuid() },
    )
    if (status >= 300) throw new Error(`the market can not be told to ${act}: ${status}`)
  }
  await order('halt')
  return () => order('reopen')
}

const crowd = ({ gatewayUrl }: WatchedPlatform): Promise<Heal> => {
  const sockets: WebSocket[] = []
  const open = (): void => {
    const socket = new WebSocket(`${gatewayUrl.replace('http', 'ws')}/ws`)
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  for (let count = 0; count < WEB_SOCKETS_MAX; count++) open()
  // Who is refused tries again, as clients do.
  const trying = clock.every(250, open, () => undefined)
  return Promise.resolve(async () => {
    await trying.stop()
    for (const socket of sockets) socket.terminate()
  })
}

const EDGE: readonly Mode<WatchedPlatform>[] = [
  {
    name: 'market-halted',
    title: 'An administrator halts a market',
    door: 'POST /api/v1/admin/markets/SOL_USDC/halt',
    tells: ['BourseMarketHalted'],
    inject: halt,
  },
  {
    name: 'web-sockets-full',
    title: 'More WebSockets than there is room for',
    door: 'clients that connect until they are refused, and try again',
    tells: ['BourseWebSocketsRefused'],
    inject: crowd,
  },
]

/** What others do: price sources, exchange, bank, clients, administrators. */
export const OUTSIDE_MODES: readonly Mode<WatchedPlatform>[] = [...PRICES, ...EXCHANGE, ...BANK, ...EDGE]
