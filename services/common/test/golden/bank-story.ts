import { encodeConfig, encodeMove, encodeQuote, encodeTrade, type Ticker } from '@bourse/bridge/codec/commands.ts'
import { transactionIdOf } from '@bourse/bridge/codec/identifiers.ts'
import { parseAmount as units } from '@bourse/common/money/amount.ts'
import { places } from './journals.ts'
import { idOf, type GoldenWorld } from './world.ts'

const ticker = (price: string): Ticker => ({ state: 'price', price: units(price) })

/** A bank's customers: deposits, buys, sells, a quote used twice, refusals of bank and exchange, withdrawals. */
export const tellBridge = (world: GoldenWorld): void => {
  const bank = 'demo'
  const identity = (name: string) => ({ id: idOf(name), requestHash: idOf(`hash of ${name}`) })
  const send = (command: Uint8Array): void => world.send(places.bridge, command)
  const trade = (
    name: string,
    bankUserId: string,
    amount: string,
    side: 'BUY' | 'SELL' = 'BUY',
    quoteName = '',
  ): void =>
    send(
      encodeTrade(identity(name), {
        ticker: ticker('1.6847'),
        bank,
        bankUserId,
        idempotencyKey: name,
        side,
        quoteName,
        amount: units(amount),
        currency: side === 'BUY' ? 'AZN' : 'USDT',
      }),
    )
  const move = (name: string, bankUserId: string, amount: string, type: 'DEPOSIT' | 'WITHDRAWAL' = 'DEPOSIT'): void =>
    send(
      encodeMove(identity(name), {
        bank,
        bankUserId,
        idempotencyKey: name,
        type,
        amount: units(amount),
        currency: 'AZN',
        reference: 'r',
      }),
    )
  const named = (name: string): string => Buffer.from(transactionIdOf(idOf(name))).toString('hex')
  const [declined, rejected] = [named('b3'), named('b4')]
  const answer = (): void =>
    world.answerCalls((call) => {
      const is = (name: string): boolean =>
        'transactionId' in call && Buffer.from(call.transactionId).toString('hex') === name
      switch (call.kind) {
        case 'authorize':
          return {
            kind: 'authorization',
            transactionId: call.transactionId,
            result: is(declined) ? 'declined' : 'acknowledged',
          }
        case 'order':
          return {
            kind: 'order',
            transactionId: call.transactionId,
            result: is(rejected) ? 'rejected' : 'filled',
            executedPrice: is(rejected) ? 0n : units('1.6850'),
            executedQuantity: is(rejected) ? 0n : units(call.quantity),
          }
        case 'reverse':
          return { kind: 'reversal', transactionId: call.transactionId, bank: call.bank, acknowledged: true }
        case 'webhook':
          return { kind: 'webhook', bank: call.bank, sequence: call.sequence, acknowledged: true }
        case 'redeliver':
          return { kind: 'redelivery', id: call.id, bank: call.bank, sequence: call.sequence, acknowledged: true }
      }
    })
  send(
    encodeConfig({
      name: bank,
      suspended: false,
      callbackUrl: 'http://bank',
      callbackTimeoutMs: 2_000,
      callbackRetries: 3,
      quoteTtlMs: 10_000,
      slippageBps: units('50'),
      dailyAmount: units('10000'),
      dailyAmountPerCustomer: units('1000'),
      limitCurrency: 'AZN',
      pairs: [
        {
          symbol: 'AZNUSDT',
          baseAsset: 'USDT',
          quoteAsset: 'AZN',
          spreadBps: units('150'),
          minAmount: units('1'),
          maxAmount: units('5000'),
          tickSize: units('0.0001'),
          lotSize: units('0.01'),
        },
      ],
    }),
  )
  for (const customer of ['u1', 'u2', 'u3']) move(`d ${customer}`, customer, '700.00')
  answer()
  trade('b1', 'u1', '100.00')
  trade('b2', 'u2', '33.33')
  trade('b3', 'u3', '50.00')
  trade('b4', 'u3', '60.00')
  answer()
  trade('b1', 'u1', '100.00')
  trade('b5', 'u1', '650.00')
  trade('s1', 'u1', '20.00', 'SELL')
  trade('b8', 'u1', '950.00')
  send(
    encodeQuote(idOf('q1'), {
      ticker: ticker('1.6847'),
      bank,
      bankUserId: 'u2',
      side: 'BUY',
      amount: units('10.00'),
      currency: 'AZN',
    }),
  )
  trade('b6', 'u2', '10.00', 'BUY', `q_${Buffer.from(idOf('q1')).toString('hex')}`)
  trade('b7', 'u2', '10.00', 'BUY', `q_${Buffer.from(idOf('q1')).toString('hex')}`)
  move('w1', 'u1', '25.00', 'WITHDRAWAL')
  move('w2', 'u1', '5000.00', 'WITHDRAWAL')
  answer()
}
