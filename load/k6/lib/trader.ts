import { sleep } from 'k6'
import { newTrader } from './data.ts'
import { call, jsonOf, listIn, objectIn, type Answer, type Json } from './http.ts'
import { unitsOf } from './money.ts'

/** How often somebody tries to sign up. */
const SIGN_UPS_MAX = 5

/** A signed-in trader with an open account. */
export interface Trader {
  /** `authToken=…` */
  readonly cookie: string
}

/** A trader's calls. */
export const engine = ({ cookie }: Trader, name: string, command: object, key?: string): Answer =>
  call('POST', '/api/v1/engine', name, command, {
    headers: { cookie, ...(key === undefined ? {} : { 'x-idempotency-key': key }) },
    // Without a key go a question and the opening of an account, which is opened once.
    isRepeatable: true,
  })

/** The data of an engine's answer. */
export const dataOf = (answer: Answer): Json => objectIn(objectIn(jsonOf(answer), 'engineResponse'), 'data')

/** Signs a new trader up and opens the account; null when the platform did not let him. */
export const signUp = (): Trader | null => {
  let answer = call('POST', '/api/v1/auth/signup', 'sign up', newTrader())
  // Nobody knows whether there is such a trader now: another one signs up.
  for (let tries = 1; answer.status >= 500 && tries < SIGN_UPS_MAX; tries++) {
    sleep(1)
    answer = call('POST', '/api/v1/auth/signup', 'sign up', newTrader())
  }
  const value = answer.cookies['authToken']?.[0]?.value
  if (answer.status !== 201 || value === undefined) return null
  const trader = { cookie: `authToken=${value}` }
  return engine(trader, 'create account', { command: 'CREATE_ACCOUNT' }).status === 200 ? trader : null
}

/** What a trader has in the account's currency, in units. */
export const usdcOf = (
  trader: Trader,
): { readonly available: bigint; readonly locked: bigint; readonly open: number } => {
  const data = dataOf(engine(trader, 'balance', { command: 'GET_BALANCE' }))
  const usdc = listIn(data, 'balances').find(({ asset }) => asset === 'USDC') ?? {}
  const amount = (name: string): bigint => unitsOf(String(usdc[name] ?? '0'))
  return { available: amount('available'), locked: amount('locked'), open: listIn(data, 'trades').length }
}

/** What a closed trade changed the balance by, in units. */
export const changeBy = (closed: Json): bigint => {
  const amount = (name: string): bigint => unitsOf(String(closed[name] ?? '0'))
  return amount('pnl') - amount('funding') - amount('fees')
}

/** All closed trades of a trader, page by page. */
export const closedTrades = ({ cookie }: Trader): readonly Json[] => {
  const trades: Json[] = []
  for (let cursor = ''; ;) {
    const page = jsonOf(
      call('GET', `/api/v1/trades?status=closed&limit=200${cursor}`, 'trades', null, { headers: { cookie } }),
    )
    trades.push(...listIn(page, 'trades'))
    const next = page['nextCursor']
    if (typeof next !== 'string') return trades
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}
