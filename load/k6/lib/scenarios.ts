import { check } from 'k6'
import exec from 'k6/execution'
import { Counter, Trend } from 'k6/metrics'
import { WebSocket } from 'k6/websockets'
import { buy, quote, sell, tradeOf } from './bank.ts'
import { ASSETS, between, newOrder, oneOf } from './data.ts'
import { call, insist, jsonOf, listIn, type Answer, type Json } from './http.ts'
import { unitsOf } from './money.ts'
import type { Run } from './run.ts'
import { socketUrl } from './settings.ts'
import { changeBy, dataOf, engine, signUp, usdcOf, type Trader } from './trader.ts'

/** Price messages that subscribers got, and how old the quote was when it came, ms. */
const messages = new Counter('ws_messages')
const priceAge = new Trend('ws_price_age', true)
/** How long one subscriber stays, ms. */
const SUBSCRIBER_STAYS_MS = 10_000

/** Stops that are on the losing side of every price there is, so that none of them closes a trade. */
const FAR_STOPS = { LONG: '1', SHORT: '1000000' } as const

/** Gives an open trade a stop. */
const setStop = (trader: Trader, tradeId: unknown, direction: keyof typeof FAR_STOPS): void => {
  const update = { command: 'UPDATE_TRADE', tradeId, stopLossPrice: FAR_STOPS[direction] }
  const { answer } = insist((one) => engine(trader, 'update', update, one))
  const isSet = ({ status }: Answer): boolean =>
    status === 200 && unitsOf(String(dataOf(answer)['stopLossPrice'])) === unitsOf(FAR_STOPS[direction])
  check(answer, { 'a stop is set': isSet })
}

/** Opens a trade, at times gives it a stop, and closes it; answers what the close says, null when either failed. */
const openAndClose = (trader: Trader): Json | null => {
  const order = { command: 'CREATE_TRADE', ...newOrder() }
  const { answer, key } = insist((one) => engine(trader, 'open', order, one))
  const opened = dataOf(answer)
  const isOpen = check(answer, { 'a trade is opened': ({ status }) => status === 200 })
  if (!isOpen) return null
  if (between(1, 4) === 1) {
    const again = dataOf(engine(trader, 'open again', order, key))
    check(again, { 'the same key opens nothing twice': ({ tradeId }) => tradeId === opened['tradeId'] })
  }
  if (between(1, 4) === 1) setStop(trader, opened['tradeId'], order.direction)
  const close = { command: 'CLOSE_TRADE', tradeId: opened['tradeId'] }
  const { answer: answered } = insist((one) => engine(trader, 'close', close, one))
  const isClosed = check(answered, { 'a trade is closed': ({ status }) => status === 200 })
  return isClosed ? dataOf(answered) : null
}

/** A newcomer's whole way: sign-up, account, prices, a trade, and a balance that moved by what the close says. */
export const newcomer = (): void => {
  const trader = signUp()
  check(trader, { 'a trader signs up': (one) => one !== null })
  if (trader === null) return
  const before = usdcOf(trader).available
  const prices = listIn(jsonOf(call('GET', '/api/v1/prices', 'prices')), 'prices')
  check(prices, { 'there are prices': ({ length }) => length > 0 })
  const closed = openAndClose(trader)
  if (closed === null) return
  check(usdcOf(trader), {
    'the balance moved by what the close says': ({ available }) => available === before + changeBy(closed),
  })
}

/** A trader of the pool opens and closes. Each iteration takes the next one, so that all have work. */
export const trading = ({ traders }: Run): void => {
  const trader = traders[exec.scenario.iterationInTest % traders.length]
  if (trader === undefined) throw new Error('setup made no traders')
  openAndClose(trader)
}

const isSame = (left: Json, right: Json): boolean => JSON.stringify(left) === JSON.stringify(right)

/** A bank's customer buys, half of the time on a quote, and sells; the key once more gives the same answer. */
export const banks = ({ customers }: Run): void => {
  const customer = oneOf(customers)
  const amount = `${between(5, 20)}.00`
  const isQuoted = between(1, 2) === 1
  let quoteId: string | undefined
  const { answer: bought, key } = insist((one) => {
    quoteId = isQuoted ? quotedFor(customer, amount) : undefined
    return buy(customer, amount, one, quoteId)
  })
  if (!check(bought, { 'a buy is completed': (one) => one.status === 201 && tradeOf(one)['status'] === 'COMPLETED' }))
    return
  const again = buy(customer, amount, key, quoteId)
  check(again, { 'the same key gives the same answer': (one) => isSame(jsonOf(one), jsonOf(bought)) })
  const { answer: sold } = insist((one) => sell(customer, '1.00', one))
  check(sold, { 'a sale is completed': (one) => one.status === 201 && tradeOf(one)['status'] === 'COMPLETED' })
}

const quotedFor = (customer: string, amount: string): string | undefined => {
  const { answer } = insist(() => quote(customer, amount))
  check(answer, { 'a price is quoted': ({ status }) => status === 201 })
  const { quoteId } = jsonOf(answer)
  return typeof quoteId === 'string' ? quoteId : undefined
}

/** Somebody looks at a market: pairs, prices, bars. */
export const readers = (): void => {
  const asset = oneOf(ASSETS)
  const all = [
    call('GET', '/api/v1/markets', 'markets'),
    call('GET', '/api/v1/prices', 'prices'),
    call('GET', `/api/v1/candles?asset=${asset}&interval=1m&limit=60`, 'candles'),
  ]
  check(all, { 'market data is answered': (answers) => answers.every(({ status }) => status === 200) })
}

/** Somebody watches prices for a while. */
export const subscribers = (): void => {
  const asset = oneOf(ASSETS)
  const socket = new WebSocket(socketUrl)
  let [got, failed] = [0, false]
  let leaving: ReturnType<typeof setTimeout> | null = null
  socket.onopen = () => {
    socket.send(JSON.stringify({ op: 'subscribe', channels: [`prices:${asset}`] }))
    leaving = setTimeout(() => socket.close(), SUBSCRIBER_STAYS_MS)
  }
  socket.onmessage = (event) => {
    const message = JSON.parse(String(event?.data ?? '{}')) as Json
    if (message['channel'] !== `prices:${asset}`) return
    got += 1
    messages.add(1)
    const sentAt = quoteMoment(message)
    if (sentAt !== null) priceAge.add(Math.max(0, Date.now() - sentAt))
  }
  socket.onerror = () => void (failed = true)
  socket.onclose = () => {
    if (leaving !== null) clearTimeout(leaving)
    check(null, { 'a subscriber gets prices': () => got > 0 && !failed })
  }
}

const quoteMoment = (message: Json): number | null => {
  const data = message['data'] as Json | undefined
  const atMs = Date.parse(String(data?.['time']))
  return Number.isFinite(atMs) ? atMs : null
}
