import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newKey, until, type Answer } from './support/calls.ts'
import { adminClient, codeOf, dataOf, engineData, signUp, type TradeBody } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { writeManifests } from './support/manifests.ts'
import { expectRefusal, withoutTrace } from './support/refusal.ts'
import { closed, opened } from './support/sure.ts'
import { banksOf, pairsOf, startWorld, type World } from './support/world.ts'

const small = { asset: 'BTC_USDC', margin: '10', leverage: 2 }
const sol = { asset: 'SOL_USDC', margin: '10', leverage: 2 }
/** Refused at any price there is: it asks how the market is, and leaves no trace. */
const probe = { ...sol, worstPrice: '1' }

describe("refusals of a trader's commands", () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld()
  }, LIMIT_MS)
  beforeEach(() => {
    world.btc.set('60000')
    world.sol.set('200')
  })
  afterAll(() => world.stop())

  const open = (fields: object, key?: string): Promise<Answer> =>
    world.trader.open({ asset: 'BTC_USDC', margin: '100', leverage: 10, ...fields }, key)
  const writePairs = (ofSol: Parameters<typeof pairsOf>[2] = {}): Promise<void> =>
    writeManifests(world.bourse.manifests, pairsOf(world.btc, world.sol, ofSol), banksOf())
  /** What changed is in force a moment later. */
  const expectReduceOnly = async (): Promise<void> => {
    await until(
      () => world.stranger.open(probe),
      (answer) => codeOf(answer) === 'MARKET_REDUCE_ONLY',
    )
    expectRefusal(await world.stranger.open(sol), '409 MARKET_REDUCE_ONLY', /close|reduce/i)
  }
  const untilOpen = (): Promise<Answer> =>
    until(
      () => world.stranger.open(sol),
      ({ status }) => status === 200,
    )

  test.each<[string, object, string, RegExp]>([
    [
      'an unknown asset',
      { asset: 'DOGE_USDC' },
      '400 VALIDATION_ERROR',
      /"DOGE_USDC" is not traded here; use one of BTC_USDC/,
    ],
    ['an asset that is no name', { asset: 'btc' }, '400 VALIDATION_ERROR', /asset "btc"/],
    [
      'a direction that is none',
      { direction: 'UP' },
      '400 VALIDATION_ERROR',
      /direction "UP" is not one of LONG, SHORT/,
    ],
    ['a field that is not known', { price: '1' }, '400 VALIDATION_ERROR', /price is not known.*remove it/],
    ['leverage 0', { leverage: 0 }, '400 VALIDATION_ERROR', /leverage 0 must be/],
    ['leverage 1.5', { leverage: 1.5 }, '400 VALIDATION_ERROR', /leverage 1\.5 must be a whole number from 1/],
    ['leverage 101', { leverage: 101 }, '400 LEVERAGE_TOO_HIGH', /leverage/i],
    [
      'more leverage than the tier of the notional has',
      { margin: '4000', leverage: 80 },
      '400 LEVERAGE_TOO_HIGH',
      /leverage/i,
    ],
    ['a stop above the price of a long', { stopLossPrice: '61000' }, '400 INVALID_STOP_LOSS', /stop/i],
    [
      'a stop below the price of a short',
      { direction: 'SHORT', stopLossPrice: '59000' },
      '400 INVALID_STOP_LOSS',
      /stop/i,
    ],
    ['a stop between two ticks', { stopLossPrice: '59000.005' }, '400 INVALID_STOP_LOSS', /tick|multiple/i],
    ['a target below the price of a long', { takeProfitPrice: '59000' }, '400 INVALID_TAKE_PROFIT', /profit|target/i],
    ['a target between two ticks', { takeProfitPrice: '61000.001' }, '400 INVALID_TAKE_PROFIT', /tick|multiple/i],
    ['a margin below the minimum', { margin: '0.09' }, '422 MARGIN_TOO_SMALL', /margin/i],
    ['a margin that buys less than a lot', { margin: '0.2', leverage: 1 }, '422 MARGIN_TOO_SMALL', /margin/i],
    ['a margin above the balance', { margin: '20000', leverage: 1 }, '422 INSUFFICIENT_FUNDS', /balance|funds|low/i],
    [
      'a margin that leaves nothing for the fee',
      { margin: '9899.9', leverage: 2 },
      '422 INSUFFICIENT_FUNDS',
      /balance|funds|low/i,
    ],
    [
      'a notional above the limit',
      { margin: '9000', leverage: 20, asset: 'SOL_USDC' },
      '422 NOTIONAL_TOO_HIGH',
      /notional/i,
    ],
    ['a price worse than the worst taken', { worstPrice: '59000' }, '409 PRICE_MOVED', /price/i],
    ['a market that never had a price', { asset: 'ETH_USDC' }, '503 PRICE_STALE', /price/i],
  ])('CREATE_TRADE with %s is refused, and repeats as it was', async (_, fields, refusal, message) => {
    const key = newKey()
    const first = await withoutTrace(world, () => open(fields, key))
    expectRefusal(first, refusal, message)
    const again = await open(fields, key)
    expect([again.status, codeOf(again)]).toEqual([first.status, codeOf(first)])
  })

  test.each<[string, object, string, RegExp]>([
    [
      'nothing to change',
      {},
      '400 VALIDATION_ERROR',
      /give stopLossPrice, takeProfitPrice or both \(null takes one away/,
    ],
    [
      'a price that is none',
      { stopLossPrice: '0' },
      '400 VALIDATION_ERROR',
      /stopLossPrice "0" must be more than zero/,
    ],
    ['a field that is not known', { margin: '1' }, '400 VALIDATION_ERROR', /margin is not known.*remove it/],
    ['a stop above the price of a long', { stopLossPrice: '60001' }, '400 INVALID_STOP_LOSS', /losing side/],
    ['a stop between two ticks', { stopLossPrice: '59000.005' }, '400 INVALID_STOP_LOSS', /multiple of the tick/],
    ['a target below its price', { takeProfitPrice: '59900' }, '400 INVALID_TAKE_PROFIT', /winning side/],
    ['both wrong', { stopLossPrice: '60001', takeProfitPrice: '1' }, '400 INVALID_STOP_LOSS', /stopLossPrice/],
  ])('UPDATE_TRADE with %s is refused, and repeats as it was', async (_, prices, refusal, message) => {
    const key = newKey()
    const first = await withoutTrace(world, () => world.trader.update(world.openId, prices, key))
    expectRefusal(first, refusal, message)
    const again = await world.trader.update(world.openId, prices, key)
    expect([again.status, codeOf(again)]).toEqual([first.status, codeOf(first)])
  })

  test("a stranger's, a closed and a made-up trade can not be updated", async () => {
    const prices = { stopLossPrice: '59000' }
    const update = (tradeId: string) => withoutTrace(world, () => world.trader.update(tradeId, prices))
    const strangers = await withoutTrace(world, () => world.stranger.update(world.openId, prices))
    expectRefusal(strangers, '404 TRADE_NOT_FOUND', /trade/i)
    expectRefusal(await update(world.closedId), '409 TRADE_CLOSED', /closed/i)
    expectRefusal(await update('trade_123456789'), '404 TRADE_NOT_FOUND', /trade/i)
  })

  test('one trade more than the pair allows is refused', async () => {
    const trades: TradeBody[] = []
    while (trades.length < 3) trades.push(await opened(world.stranger, small))
    const answer = await withoutTrace(world, () => world.stranger.open(small))
    expectRefusal(answer, '422 TOO_MANY_TRADES', /close|trades/i)
    for (const { tradeId } of trades) await closed(world.stranger, tradeId)
  })

  test("a stranger's, a closed and a made-up trade can not be closed", async () => {
    const close = (tradeId: string) => withoutTrace(world, () => world.trader.close(tradeId))
    expectRefusal(await withoutTrace(world, () => world.stranger.close(world.openId)), '404 TRADE_NOT_FOUND', /trade/i)
    expectRefusal(await close(world.closedId), '409 TRADE_CLOSED', /closed/i)
    expectRefusal(await close('trade_123456789'), '404 TRADE_NOT_FOUND', /trade_123456789|trade/i)
    expectRefusal(await close('../../etc'), '404 TRADE_NOT_FOUND', /trade/i)
  })

  test('a trader without an account is told to open one', async () => {
    const guest = await signUp(world.bourse.url, 'guest', false)
    expectRefusal(await guest.open(small), '404 ACCOUNT_NOT_FOUND', /CREATE_ACCOUNT|account/)
  })

  test(
    'a price that has grown old is not traded on, until a new one comes',
    async () => {
      await writePairs({ maxAgeSeconds: 1 })
      world.sol.set(null)
      await until(
        () => open(probe),
        (answer) => codeOf(answer) === 'PRICE_STALE',
      )
      expectRefusal(await withoutTrace(world, () => open(sol)), '503 PRICE_STALE', /price|quote/i)
      world.sol.set('201')
      await until(
        () => open(probe),
        (answer) => codeOf(answer) === 'PRICE_MOVED',
      )
      // An older price than that is too old still.
      await writePairs()
      const trade = await opened(world.trader, sol)
      expect(trade.entryPrice).toBe('201.03')
      await closed(world.trader, trade.tradeId)
    },
    LIMIT_MS,
  )

  test('a halted market takes no opening and no closing, until it is reopened', async () => {
    const admin = adminClient(world.bourse.url)
    dataOf(await admin.act('/markets/BTC_USDC/halt'))
    expectRefusal(await withoutTrace(world, () => open({})), '409 MARKET_HALTED', /halt/i)
    expectRefusal(await withoutTrace(world, () => world.trader.close(world.openId)), '409 MARKET_HALTED', /halt/i)
    const stop = await withoutTrace(world, () => world.trader.update(world.openId, { stopLossPrice: '59000' }))
    expectRefusal(stop, '409 MARKET_HALTED', /stops can only be taken away/)
    const bare = await world.trader.update(world.openId, { stopLossPrice: null, takeProfitPrice: null })
    expect(engineData<TradeBody>(bare)).toMatchObject({ tradeId: world.openId })
    dataOf(await admin.act('/markets/BTC_USDC/reopen'))
    await closed(world.trader, (await opened(world.trader, small)).tradeId)
  })

  test(
    'a manifest that turns reduce-only is in force without a restart: it closes, but does not open',
    async () => {
      const { tradeId } = await opened(world.trader, sol)
      await writePairs({ state: 'ReduceOnly' })
      await expectReduceOnly()
      await closed(world.trader, tradeId)
      await writePairs()
      await untilOpen()
    },
    LIMIT_MS,
  )

  test(
    'a pair whose manifest is gone closes, but does not open; put back it opens again',
    async () => {
      const { tradeId } = await opened(world.trader, sol)
      await rm(join(world.bourse.manifests, 'sol-usdc.yaml'))
      await expectReduceOnly()
      await closed(world.trader, tradeId)
      await writePairs()
      await untilOpen()
    },
    LIMIT_MS,
  )
})
