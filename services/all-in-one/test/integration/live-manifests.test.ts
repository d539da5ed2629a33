import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { ManifestRecord } from '@bourse/common/ports/directory.ts'
import type { Child } from '@bourse/all-in-one/distributed/child.ts'
import { call, until } from '../support/calls.ts'
import { bankClient, codeOf, engineData, signUp, type TradeBody, type TraderClient } from '../support/clients.ts'
import { openCluster, type Cluster } from '../support/cluster.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { bought, closed, opened } from '../support/sure.ts'
import { describeOnServers, startServers, type Servers } from '../support/distributed.ts'
import { bankManifest, nameOf, pairManifest, walk, type BankOptions, type PairOptions } from '../support/manifests.ts'

const WEBHOOK_SECRET = 'the-webhook-secret-of-a-bank-0123456789'
const KEY = 'the-key-of-a-bank-that-came-later-0123456789'

describeOnServers('manifests in the directory', () => {
  let servers: Servers
  let cluster: Cluster
  let trading: Child
  let bridge: Child
  let gateway: Child
  let bank: Child
  let trader: TraderClient

  const put = async (
    kind: ManifestRecord['kind'],
    name: string,
    generation: number,
    manifest: object,
  ): Promise<void> => {
    const document = JSON.stringify(manifest)
    expect(await cluster.directory.putManifest({ kind, name, generation, document, fence: 1 })).toBe('stored')
  }
  const putPair = (generation: number, options: PairOptions): Promise<void> =>
    put('TradingPair', nameOf(options.symbol), generation, pairManifest(options))
  const putBank = (generation: number, options: BankOptions): Promise<void> =>
    put('Bank', options.name ?? '', generation, bankManifest(options))
  const progressAt = async (shard: Child, name: string) =>
    (await cluster.orders.manifests(shard.url)).find((manifest) => manifest.name === name)
  const assets = async (): Promise<string> => (await call(`${gateway.url}/api/v1/markets`)).text
  /** What nobody serves yet keeps a gateway from nothing. A machine that stood still makes shards look silent for a moment. */
  const ready = () =>
    until(
      () => call(`${gateway.url}/readyz`),
      ({ status }) => status === 200,
    )
  const openTrade = (asset: string) => trader.open({ asset, margin: '10', leverage: 2 })

  beforeAll(async () => {
    servers = await startServers()
    cluster = await openCluster(servers)
    const [exchange, mockBank] = await Promise.all([
      cluster.start('mock-exchange', 'mock-exchange'),
      cluster.start('mock-bank', 'mock-bank', { BOURSE_MOCK_BANK_WEBHOOK_SECRETS: WEBHOOK_SECRET }),
    ])
    bank = mockBank
    const shards = await Promise.all([
      cluster.start('ledger-0', 'ledger'),
      cluster.start('trading-0', 'trading'),
      cluster.start('bridge-0', 'bridge', { BOURSE_EXCHANGE_URL: exchange.url }),
    ])
    trading = shards[1]
    bridge = shards[2]
    gateway = await cluster.start('gateway', 'gateway')
    await cluster.start('market', 'market')
    await cluster.acquire(shards[0], [partitionNumber('ledger', 0), partitionNumber('ledger', 1)], 1)
    await cluster.acquire(bridge, [partitionNumber('bridge', 0)], 1)
    trader = await until(
      () => signUp(gateway.url, `trader-${Date.now()}`).catch(() => null),
      (made) => made !== null,
    ).then((made) => made!)
  }, LIMIT_MS)

  afterAll(async () => {
    await cluster.stop()
    await servers.stop()
  }, LIMIT_MS)

  test('may be none: a fresh installation takes users', async () => {
    expect((await trader.balance()).trades).toEqual([])
    await ready()
    expect(await cluster.orders.manifests(trading.url)).toEqual([])
  })

  test(
    'of new pairs are traded on without a restart, one after the other',
    async () => {
      for (const [market, symbol] of [
        [1, 'LIVE_USDC'],
        [2, 'LATE_USDC'],
      ] as const) {
        await putPair(1, { symbol, prices: walk('100') })
        await until(assets, (text) => text.includes(symbol))
        // Nobody serves it yet: that keeps nobody from the rest.
        expect((await openTrade(symbol)).status).toBe(503)
        await trader.balance()
        await ready()
        const partitions = [0, 1].map((index) => partitionNumber('trading', index, market))
        await cluster.acquire(trading, partitions, market)
        const answer = await until(
          () => openTrade(symbol),
          ({ status }) => status === 200,
        )
        const { tradeId } = engineData<TradeBody>(answer)
        expect((await trader.balance()).trades.map((trade) => [trade.tradeId, trade.asset])).toContainEqual([
          tradeId,
          symbol,
        ])
        expect(await progressAt(trading, nameOf(symbol))).toMatchObject({ generation: 1, state: 'InForce' })
        await until(
          () => trader.trades(),
          (trades) => trades.some((trade) => trade.tradeId === tradeId && trade.asset === symbol),
        )
        await until(
          () => call(`${gateway.url}/api/v1/candles?asset=${symbol}&interval=1m`),
          ({ status, text }) => status === 200 && text.includes('open'),
        )
      }
      const { partitions, shard } = await cluster.orders.partitions(trading.url)
      expect(shard).toBe('trading-0')
      expect(partitions.map(({ partition, ready }) => [partition, ready])).toEqual([
        ['trading/LIVE_USDC/0', true],
        ['trading/LIVE_USDC/1', true],
        ['trading/LATE_USDC/0', true],
        ['trading/LATE_USDC/1', true],
      ])
    },
    LIMIT_MS,
  )

  test(
    'that changed reach the partitions, and one that can not be read hurts no other',
    async () => {
      await put('TradingPair', 'broken', 3, { kind: 'TradingPair', metadata: { name: 'broken' } })
      await putPair(2, { symbol: 'LIVE_USDC', state: 'ReduceOnly', prices: walk('100') })
      await until(
        () => progressAt(trading, 'live-usdc'),
        (now) => now?.generation === 2 && now.state === 'InForce',
      )
      expect(codeOf(await openTrade('LIVE_USDC'))).not.toBeNull()
      await opened(trader, { asset: 'LATE_USDC', margin: '10', leverage: 2 })
      expect(await progressAt(trading, 'broken')).toMatchObject({ generation: 3, state: 'Refused' })
    },
    LIMIT_MS,
  )

  test(
    'of a new bank let it in with the key of the directory, until it is suspended',
    async () => {
      const options = { name: 'late', callbackUrl: bank.url }
      await putBank(1, options)
      const keyHash = createHash('sha256').update(KEY).digest('hex')
      await cluster.directory.putBankKey({ bank: 'late', keyHash, createdAtMs: Date.now(), expiresAtMs: null })
      const client = bankClient(gateway.url, KEY)
      await until(
        () => progressAt(bridge, 'late'),
        (now) => now?.state === 'InForce',
      )
      await until(
        () => client.deposit('anna', '100'),
        ({ status }) => status < 300,
      )
      await bought(client, 'anna', '20')
      const heard = async (): Promise<number> =>
        ((await call(`${bank.url}/control/events`)).body as readonly unknown[]).length
      expect(await heard()).toBe(0)
      await writeFile(join(cluster.secretsDir, 'late'), `an-older-secret-than-that-one\n${WEBHOOK_SECRET}\n`)
      await until(heard, (count) => count > 0)

      await putBank(2, { ...options, state: 'Suspended' })
      await until(
        () => client.deposit('anna', '1'),
        (answer) => codeOf(answer) === 'BANK_SUSPENDED',
      )
      await until(
        () => progressAt(bridge, 'late'),
        (now) => now?.generation === 2 && now.state === 'InForce',
      )
    },
    LIMIT_MS,
  )

  test(
    'that are gone are served no more, and a shard says when it is drained',
    async () => {
      for (const { tradeId } of (await trader.balance()).trades) await closed(trader, tradeId)
      const early = await call(`${trading.url}/health/drained`)
      expect(early.body).toEqual({ drained: false })
      expect(await cluster.directory.removeManifest('TradingPair', 'live-usdc', 1)).toBe('removed')
      await until(assets, (text) => !text.includes('LIVE_USDC'))
      const released = (await cluster.orders.partitions(trading.url)).partitions
      const drained = call(`${trading.url}/health/drained?waitSeconds=60`)
      for (const { number } of released) expect(await cluster.orders.release(trading.url, number, 9)).toBeNull()
      expect((await drained).body).toEqual({ drained: true })
    },
    LIMIT_MS,
  )
})
