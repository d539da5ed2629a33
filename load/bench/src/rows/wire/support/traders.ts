import { randomUUID } from 'node:crypto'
import { ask, openConnection, requestText, type HttpAnswer, type HttpConnection } from './http-client.ts'
import type { Lane } from './loops.ts'

/** Where a server listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** A signed-in user with an open trading account and a connection of their own. */
export interface Trader {
  readonly connection: HttpConnection
  /** The header line of the session. */
  readonly cookie: string
}

const ENGINE = '/api/v1/engine'
const BALANCE_BODY = '{"command":"GET_BALANCE"}'
/** Small, so that no limit of a market or an account is met however the price walks. */
const OPEN_BODY =
  '{"command":"CREATE_TRADE","asset":"BTC_USDC","direction":"LONG","margin":"100","leverage":2,"stopLossPrice":null}'

const onBroken = (error: Error): void => {
  throw error
}

const expectStatus = (what: string, { status, text }: { status: number; text: string }, wanted: number): string => {
  if (status !== wanted) throw new Error(`${what}: ${status} ${text}`)
  return text
}

const signUp = async (place: Place, index: number): Promise<Trader> => {
  const connection = await openConnection(place, onBroken)
  const credentials = JSON.stringify({ email: `trader-${index}@bench.example`, password: `a long password ${index}` })
  const answer = await ask(connection, requestText('POST', '/api/v1/auth/signup', '', credentials))
  expectStatus('sign-up', answer, 201)
  const token = /authToken=([^;]+)/.exec(answer.head)?.[1] ?? ''
  const cookie = `cookie: authToken=${token}\r\n`
  const open = requestText('POST', ENGINE, cookie, '{"command":"CREATE_ACCOUNT"}')
  expectStatus('CREATE_ACCOUNT', await ask(connection, open), 200)
  return { connection, cookie }
}

/** Signs users up through the API, two at a time: hashing passwords is meant to be slow. */
export const signUpTraders = async (place: Place, count: number): Promise<Trader[]> => {
  const traders: Trader[] = []
  for (let index = 0; index < count; index += 2) {
    const pair = [signUp(place, index), ...(index + 1 < count ? [signUp(place, index + 1)] : [])]
    traders.push(...(await Promise.all(pair)))
  }
  return traders
}

const refused = (what: string, { status, body }: HttpAnswer): Error =>
  new Error(`${what} answered ${status}: ${body.toString('utf8').slice(0, 500)}`)

/** The whole text of one GET_BALANCE answer, for a peer that answers the same bytes. */
export const balanceAnswer = async ({ connection, cookie }: Trader): Promise<string> =>
  expectStatus('GET_BALANCE', await ask(connection, requestText('POST', ENGINE, cookie, BALANCE_BODY)), 200)

/** Opens a trade. @returns the answer's text */
export const openTrade = async ({ connection, cookie }: Trader): Promise<string> =>
  expectStatus('CREATE_TRADE', await ask(connection, requestText('POST', ENGINE, cookie, OPEN_BODY)), 200)

/** The text of an opening's answer; the trade is closed again. */
export const openAnswer = async (trader: Trader): Promise<string> => {
  const { connection, cookie } = trader
  const text = await openTrade(trader)
  const close = requestText('POST', ENGINE, cookie, closeBody(tradeIdIn(Buffer.from(text))))
  expectStatus('CLOSE_TRADE', await ask(connection, close), 200)
  return text
}

const TRADE_ID = Buffer.from('"tradeId":"')
const SUCCESS = Buffer.from('{"success":true')
const QUOTE = 0x22

const tradeIdIn = (body: Buffer): string => {
  const start = body.indexOf(TRADE_ID) + TRADE_ID.length
  return body.toString('latin1', start, body.indexOf(QUOTE, start))
}

const closeBody = (tradeId: string): string => `{"command":"CLOSE_TRADE","tradeId":"${tradeId}"}`

const isSuccess = ({ status, body }: HttpAnswer): boolean =>
  status === 200 && body.compare(SUCCESS, 0, SUCCESS.length, 0, SUCCESS.length) === 0

/** A lane that asks for the balance again and again. */
export const queryLane = ({ connection, cookie }: Trader): Lane => {
  const request = requestText('POST', ENGINE, cookie, BALANCE_BODY)
  return {
    connection,
    next: () => request,
    judge: (answer) => {
      if (!isSuccess(answer)) throw refused('GET_BALANCE', answer)
    },
  }
}

/** What a trading lane does in turn. */
export type TradeStep = 'open' | 'query' | 'close'

/** A lane that goes through `steps` again and again; every open and close carries an idempotency key of its own. */
export const tradeLane = ({ connection, cookie }: Trader, steps: readonly TradeStep[]): Lane => {
  const query = requestText('POST', ENGINE, cookie, BALANCE_BODY)
  const keyed = (body: string): string =>
    requestText('POST', ENGINE, `${cookie}x-idempotency-key: ${randomUUID()}\r\n`, body)
  let tradeId = ''
  let at = 0
  const step = (): TradeStep => steps[at % steps.length] ?? 'query'
  const requests: Record<TradeStep, () => string> = {
    open: () => keyed(OPEN_BODY),
    query: () => query,
    close: () => keyed(closeBody(tradeId)),
  }
  return {
    connection,
    next: () => requests[step()](),
    judge: (answer) => {
      if (!isSuccess(answer)) throw refused(step(), answer)
      if (step() === 'open') tradeId = tradeIdIn(answer.body)
      at += 1
    },
  }
}

/** Lanes to a peer: the same requests as the platform's, session and key included. */
export const peerLanes = async (place: Place, count: number, body: 'query' | 'trade'): Promise<Lane[]> => {
  const cookie = `cookie: authToken=${'x'.repeat(280)}\r\n`
  const plain = requestText('POST', ENGINE, cookie, BALANCE_BODY)
  const next = (): string =>
    body === 'query' ? plain : requestText('POST', ENGINE, `${cookie}x-idempotency-key: ${randomUUID()}\r\n`, OPEN_BODY)
  return Promise.all(
    Array.from({ length: count }, async () => ({
      connection: await openConnection(place, onBroken),
      next,
      judge: (answer: HttpAnswer) => {
        if (answer.status !== 200) throw refused('the peer', answer)
      },
    })),
  )
}

/** Closes every lane's connection. */
export const closeLanes = (lanes: readonly Lane[]): void => {
  for (const { connection } of lanes) connection.close()
}
