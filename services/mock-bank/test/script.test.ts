import { describe, expect, test } from '@jest/globals'
import { driveBuy, type DriveBuyOptions, type Step } from '../src/script.ts'

type Answers = Record<string, (seen: number, body: Record<string, unknown>) => { status: number; body: unknown }>

const bought = {
  transactionId: 'tx_9',
  status: 'COMPLETED',
  cryptoAmount: '58.47',
  cryptoCurrency: 'USDT',
  exchangeRate: '1.7100',
}
const entry = (currency: string, amount: string): object => ({ currency, amount, balanceAfter: '0' })

/** A core that answers as the contract says; counts the calls of each kind. */
const answers: Answers = {
  'GET /users': (seen) =>
    seen === 0
      ? { status: 404, body: {} }
      : {
          status: 200,
          body: [
            { currency: 'AZN', balance: '0.00', lockedBalance: '0.00', version: 2 },
            { currency: 'USDT', balance: '58.47', lockedBalance: '0.00', version: 1 },
          ],
        },
  'POST /deposits': () => ({
    status: 201,
    body: { success: true, data: { transactionId: 'tx_8', status: 'COMPLETED' } },
  }),
  'POST /quotes': () => ({
    status: 201,
    body: {
      quoteId: 'q_1',
      side: 'BUY',
      price: '1.7100',
      cryptoAmount: '58.47',
      fiatAmount: '100.00',
      expiresAt: 1,
    },
  }),
  'POST /trade/buy': (_seen, body) => ({
    status: body['quoteId'] === 'q_1' ? 201 : 400,
    body: { success: true, data: bought },
  }),
  'GET /transactions': () => ({
    status: 200,
    body: {
      transactionId: 'tx_9',
      status: 'COMPLETED',
      entries: [entry('AZN', '-100'), entry('AZN', '100'), entry('USDT', '-58.47'), entry('USDT', '58.47')],
    },
  }),
  'GET /events': (seen) => ({
    status: 200,
    body: { events: seen < 2 ? [] : [{ sequence: 2, type: 'transaction.completed', data: { transactionId: 'tx_9' } }] },
  }),
}

const drive = async (changed: Answers = {}): Promise<readonly Step[]> => {
  const seen = new Map<string, number>()
  const fetchStub: DriveBuyOptions['fetch'] = (input, init) => {
    const method = init?.method ?? 'GET'
    const path = new URL(String(input)).pathname.replace('/api/v1', '')
    const name = Object.keys(answers).find((key) => `${method} ${path}`.startsWith(key)) ?? 'none'
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    const body = JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as Record<string, unknown>
    const reply = { ...answers, ...changed }[name]?.(count, body) ?? { status: 404, body: {} }
    return Promise.resolve(new Response(JSON.stringify(reply.body), { status: reply.status }))
  }
  let timeMs = 0
  let made = 0
  return driveBuy({
    coreUrl: 'http://core.test',
    apiKey: 'key',
    fetch: fetchStub,
    clock: {
      nowMs: () => timeMs,
      monotonicMs: () => timeMs,
      sleep: (ms) => {
        timeMs += ms
        return Promise.resolve()
      },
      every: () => {
        throw new Error('the script repeats nothing')
      },
    },
    ids: { uuid: () => `id-${(made += 1)}`, bytes16: () => new Uint8Array(16) },
  })
}

const failed = (steps: readonly Step[]): string | undefined => steps.find((step) => !step.ok)?.name

describe('the buy script', () => {
  test('runs every step when the core answers as the contract says', async () => {
    const steps = await drive()
    expect(steps.map((step) => [step.name, step.ok])).toEqual(
      ['deposit', 'quote', 'buy', 'repeat', 'accounts', 'transaction', 'events'].map((name) => [name, true]),
    )
  })

  const changes: [string, string, Answers][] = [
    ['a refused deposit', 'deposit', { 'POST /deposits': () => ({ status: 422, body: { success: false } }) }],
    [
      'a buy that is pending',
      'buy',
      {
        'POST /trade/buy': () => ({
          status: 202,
          body: { success: true, data: { transactionId: 'tx_9', status: 'PENDING' } },
        }),
      },
    ],
    [
      'a buy at another price than quoted',
      'buy',
      {
        'POST /trade/buy': () => ({
          status: 201,
          body: { success: true, data: { ...bought, exchangeRate: '1.7101' } },
        }),
      },
    ],
    [
      'a repeat that bought again',
      'repeat',
      {
        'POST /trade/buy': (seen) => ({
          status: 201,
          body: { success: true, data: { ...bought, transactionId: `tx_${9 + seen}` } },
        }),
      },
    ],
    [
      'a balance that does not fit',
      'accounts',
      {
        'GET /users': () => ({ status: 200, body: [{ currency: 'USDT', balance: '1', lockedBalance: '0' }] }),
      },
    ],
    [
      'an entry that is missing its counterpart',
      'transaction',
      {
        'GET /transactions': () => ({
          status: 200,
          body: {
            id: 'tx_9',
            status: 'COMPLETED',
            entries: [entry('AZN', '-100'), entry('USDT', '100'), entry('USDT', '-58.47'), entry('AZN', '58.47')],
          },
        }),
      },
    ],
    ['an event that never comes', 'events', { 'GET /events': () => ({ status: 200, body: [] }) }],
  ]
  test.each(changes)('%s fails the step %s and ends the script', async (_name, step, changed) => {
    const steps = await drive(changed)
    expect(failed(steps)).toBe(step)
    expect(steps.at(-1)?.name).toBe(step)
  })
})
