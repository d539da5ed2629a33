import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newKey, pause, until, type Answer } from './support/calls.ts'
import { adminClient, codeOf, dataOf, engineData, signUp, type TradeBody } from './support/clients.ts'
import { writeManifests } from './support/manifests.ts'
import { expectRefusal, withoutTrace } from './support/refusal.ts'
import { banksOf, pairsOf, PRICE_AGE_MS, startWorld, type World } from './support/world.ts'

const LIMIT_MS = 60_000
const small = { asset: 'BTC_USDC', margin: '10', leverage: 2 }

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

  test('one trade more than the pair allows is refused', async () => {
    const trades = [
      await world.stranger.open(small),
      await world.stranger.open(small),
      await world.stranger.open(small),
    ]
    const answer = await withoutTrace(world, () => world.stranger.open(small))
    expectRefusal(answer, '422 TOO_MANY_TRADES', /close|trades/i)
    for (const trade of trades) engineData(await world.stranger.close(engineData<TradeBody>(trade).tradeId))
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
      world.sol.set(null)
      await pause(PRICE_AGE_MS + 500)
      const sol = { asset: 'SOL_USDC', margin: '10', leverage: 2 }
      expectRefusal(await withoutTrace(world, () => open(sol)), '503 PRICE_STALE', /price|quote/i)
      world.sol.set('201')
      const opened = await until(
        () => open(sol),
        ({ status }) => status === 200,
      )
      expect(engineData<TradeBody>(opened).entryPrice).toBe('201.03')
      engineData(await world.trader.close(engineData<TradeBody>(opened).tradeId))
    },
    LIMIT_MS,
  )

  test('a halted market takes no opening and no closing, until it is reopened', async () => {
    const admin = adminClient(world.bourse.url)
    dataOf(await admin.act('/markets/BTC_USDC/halt'))
    expectRefusal(await withoutTrace(world, () => open({})), '409 MARKET_HALTED', /halt/i)
    expectRefusal(await withoutTrace(world, () => world.trader.close(world.openId)), '409 MARKET_HALTED', /halt/i)
    dataOf(await admin.act('/markets/BTC_USDC/reopen'))
    engineData(await world.trader.close(engineData<TradeBody>(await open({})).tradeId))
  })

  test(
    'a manifest that turns reduce-only is in force without a restart: it closes, but does not open',
    async () => {
      const sol = { asset: 'SOL_USDC', margin: '10', leverage: 2 }
      const { tradeId } = engineData<TradeBody>(
        await until(
          () => open(sol),
          ({ status }) => status === 200,
        ),
      )
      await writeManifests(world.bourse.manifests, pairsOf(world.btc, world.sol, { sol: 'ReduceOnly' }), banksOf())
      const refused = await until(
        () => world.stranger.open(sol),
        ({ status }) => status !== 200,
      )
      expectRefusal(refused, '409 MARKET_REDUCE_ONLY', /close|reduce/i)
      engineData(await world.trader.close(tradeId))
      await writeManifests(world.bourse.manifests, pairsOf(world.btc, world.sol), banksOf())
      await until(
        () => world.stranger.open(sol),
        ({ status }) => status === 200,
      )
    },
    LIMIT_MS,
  )

  test(
    'a pair whose manifest is gone closes, but does not open; put back it opens again',
    async () => {
      const sol = { asset: 'SOL_USDC', margin: '10', leverage: 2 }
      const { tradeId } = engineData<TradeBody>(await open(sol))
      await rm(join(world.bourse.manifests, 'sol-usdc.yaml'))
      const refused = await until(
        () => world.stranger.open(sol),
        ({ status }) => status !== 200,
      )
      expectRefusal(refused, '409 MARKET_REDUCE_ONLY', /close|reduce/i)
      engineData(await world.trader.close(tradeId))
      await writeManifests(world.bourse.manifests, pairsOf(world.btc, world.sol), banksOf())
      await until(
        () => world.stranger.open(sol),
        ({ status }) => status === 200,
      )
    },
    LIMIT_MS,
  )
})
