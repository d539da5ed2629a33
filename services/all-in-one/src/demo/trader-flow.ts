import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import { createCaller, listIn, objectIn, type Caller, type Json } from './call.ts'
import { createReport, type DemoStep } from './step.ts'

const ASSET = 'BTC_USDC'

const engineCaller =
  (call: Caller) =>
  async (command: Json, key?: string): Promise<{ status: number; body: Json; data: Json }> => {
    const answer = await call('POST', '/api/v1/engine', command, key === undefined ? {} : { 'x-idempotency-key': key })
    const response = answer.body['engineResponse'] as Json | undefined
    return { status: answer.status, body: answer.body, data: (response?.['data'] ?? {}) as Json }
  }

const availableIn = (data: Json): bigint => {
  const usdc = listIn(data, 'balances').find((balance) => balance['asset'] === 'USDC')
  return parseAmount(String(usdc?.['available'] ?? '0'))
}

/** A trader signs up, opens and closes a leveraged trade, and the balance moves by exactly what the close says. */
export const runTraderFlow = async (urls: { readonly core: string }, ids: Ids): Promise<readonly DemoStep[]> => {
  const report = createReport('trader')
  const anonymous = createCaller(urls.core, {})
  const credentials = { email: `demo-${ids.uuid()}@example.com`, password: `demo ${ids.uuid()}` }
  const signup = await anonymous('POST', '/api/v1/auth/signup', credentials)
  report.that('sign up', signup.status < 300 && signup.cookie !== null, '2xx and a session cookie', signup.status)
  const engine = engineCaller(createCaller(urls.core, { cookie: signup.cookie ?? '' }))

  const account = await engine({ command: 'CREATE_ACCOUNT' })
  report.equal('CREATE_ACCOUNT', account.body['success'], true)
  const start = availableIn((await engine({ command: 'GET_BALANCE' })).data)
  report.that('demo balance', start > 0n, 'more than 0', formatAmount(start))

  const key = ids.uuid()
  const order = { command: 'CREATE_TRADE', asset: ASSET, direction: 'LONG', margin: 1000, leverage: 20 }
  const opened = await engine(order, key)
  report.equal('CREATE_TRADE LONG 1000 × 20', [opened.status, opened.body['success']], [200, true])
  const repeated = await engine(order, key)
  report.equal('the same key again', repeated.data['tradeId'], opened.data['tradeId'])
  const tooHigh = await engine({ ...order, leverage: 101 })
  report.equal('leverage 101', [tooHigh.status, tooHigh.body['errorCode']], [400, 'LEVERAGE_TOO_HIGH'])

  const during = (await engine({ command: 'GET_BALANCE' })).data
  report.equal(
    'open trades',
    listIn(during, 'trades').map((trade) => trade['tradeId']),
    [opened.data['tradeId']],
  )
  const closed = await engine({ command: 'CLOSE_TRADE', tradeId: opened.data['tradeId'] })
  report.equal('CLOSE_TRADE', [closed.status, closed.data['reason']], [200, 'USER'])
  const again = await engine({ command: 'CLOSE_TRADE', tradeId: opened.data['tradeId'] })
  report.equal('CLOSE_TRADE again', [again.status, again.body['errorCode']], [409, 'TRADE_CLOSED'])

  const end = availableIn((await engine({ command: 'GET_BALANCE' })).data)
  const value = (name: string): bigint => parseAmount(String(closed.data[name]))
  const expected = start + value('pnl') - value('funding') - value('fees')
  report.equal('balance = before + pnl − funding − fees', formatAmount(end), formatAmount(expected))
  report.that(
    'entry and liquidation price',
    objectIn(opened.body, 'engineResponse') !== null && opened.data['liquidationPrice'] !== null,
    'both there',
    `${String(opened.data['entryPrice'])} / ${String(opened.data['liquidationPrice'])}`,
  )
  return report.steps
}
