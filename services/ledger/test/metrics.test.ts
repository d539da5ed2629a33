import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { accountKinds, currencyNumber, insurancePartitionOf } from '@bourse/risk-rules/ledger/accounts.ts'
import { ledgerQueries } from '@bourse/risk-rules/ledger/queries.ts'
import { BTC, openPlatform, topology, unkeyed, userAt, valueOf, type Platform } from '../../trading/test/support.ts'
import { createMoneyShow } from '../src/metrics/money.ts'

const INSURANCE = insurancePartitionOf(BTC, topology.ledgerPartitions)
const ann = userAt(1 - INSURANCE)
let platform: Platform
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
})
afterEach(() => platform.end())

/** What is shown of the partitions, asked as a runner is asked. */
const shown = async () => {
  await platform.settled()
  const metrics = createMetrics()
  const show = createMoneyShow(metrics)
  for (let index = 0; index < topology.ledgerPartitions; index++) {
    const partition = partitionNumber('ledger', index)
    const query = async (question: Uint8Array) =>
      valueOf(await platform.partitions.read(partition, question, { deadlineMs: 5_000 })).outcome
    await show.show({ partition, title: `ledger/${index}`, query })
  }
  const { text } = await metrics.expose()
  return (series: string, labels = ''): number[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`bourse_ledger_${series}{`) && line.includes(labels))
      .map((line) => Number(line.split(' ').at(-1)))
}

test('every partition is in balance by itself, whatever lies in clearing, and clearing adds up to zero over all', async () => {
  valueOf(await platform.ledger.fund(unkeyed(), 'insurance', BTC, parseAmount('30')))
  valueOf(await platform.open(ann))
  // The loss is beyond the margin: the insurance in the other partition pays, over clearing.
  await platform.quote(BTC, '80')
  const values = await shown()
  expect(values('imbalance_units').length).toBe(topology.ledgerPartitions)
  expect(values('imbalance_units').filter((units) => units !== 0)).toEqual([])
  const clearing = values('clearing_units')
  expect(clearing.some((units) => units !== 0)).toBe(true)
  expect(clearing.reduce((sum, units) => sum + units, 0)).toBe(0)
  expect(values('system_units', 'kind="insurance"').some((units) => units === 0)).toBe(true)
})

test('holds are counted and what they lock is shown', async () => {
  valueOf(await platform.open(ann, { margin: parseAmount('100') }))
  valueOf(await platform.open(ann, { margin: parseAmount('50') }))
  const values = await shown()
  expect(values('holds').reduce((sum, count) => sum + count, 0)).toBe(2)
  expect(values('locked_units').reduce((sum, units) => sum + units, 0)).toBe(Number(parseAmount('150')))
})

test('one unit too many is shown as one', async () => {
  const rows = [
    { kind: accountKinds.customer.number, balance: 10n ** 20n },
    { kind: accountKinds.bank.number, balance: 1n - 10n ** 20n },
  ]
  const body = new Uint8Array(8 + rows.length * 48)
  const view = new DataView(body.buffer)
  view.setUint32(0, rows.length, true)
  rows.forEach(({ kind, balance }, index) => {
    const at = 8 + index * 48
    view.setBigUint64(at, currencyNumber('USDC'), true)
    view.setUint32(at + 8, kind, true)
    view.setBigUint64(at + 16, BigInt.asUintN(64, balance), true)
    view.setBigInt64(at + 24, balance >> 64n, true)
  })
  const answers = [encodeOutcome({ code: 0, kind: ledgerQueries.SUMS, id: new Uint8Array(16) }, body)]
  const none = encodeOutcome({ code: 0, kind: ledgerQueries.HOLDS, id: new Uint8Array(16) }, new Uint8Array(8))
  const metrics = createMetrics()
  await createMoneyShow(metrics).show({
    partition: 1,
    title: 'ledger/1',
    query: () => Promise.resolve(answers.shift() ?? none),
  })
  expect((await metrics.expose()).text).toContain(
    'bourse_ledger_imbalance_units{partition="ledger/1",currency="USDC"} 1\n',
  )
})
