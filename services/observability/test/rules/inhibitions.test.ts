import { expect, test } from '@jest/globals'
import { INHIBITIONS } from '../../src/rules/rules.ts'

type Labels = Readonly<Record<string, string>>

/** As Alertmanager matches: regular expressions whole, labels that are missing as ''. */
const matches = (matcher: string, labels: Labels): boolean => {
  const [, label = '', operator, value = ''] = /^(\w+)(=~|!=|=)"(.*)"$/u.exec(matcher) ?? []
  const found = labels[label] ?? ''
  if (operator === '=~') return new RegExp(`^(?:${value})$`, 'u').test(found)
  return (found === value) === (operator === '=')
}

const silences = (source: Labels, target: Labels): boolean =>
  INHIBITIONS.some(
    ({ sources, targets, equal }) =>
      sources.every((matcher) => matches(matcher, source)) &&
      targets.every((matcher) => matches(matcher, target)) &&
      equal.every((label) => (source[label] ?? '') === (target[label] ?? '')),
  )

const page = (alertname: string, labels: Labels = {}): Labels => ({
  alertname,
  namespace: 'x',
  severity: 'critical',
  ...labels,
})
const promise = (objective: string): Labels => page('AnyBudgetBurn', { component: 'slo', objective })

const RABBITMQ = page('BourseServerAway', { server: 'rabbitmq' })
const REDIS = page('BourseServerAway', { server: 'redis' })
const UNSERVED = page('BoursePartitionNotServed', { partition: 'trading/BTC_USDC/0' })

test.each([
  ['RabbitMQ', 'failed orders', RABBITMQ, promise('order_availability')],
  ['RabbitMQ', 'partitions that nobody serves', RABBITMQ, page('BoursePartitionNotServed', { partition: 'ledger/0' })],
  ['Redis', 'old prices', REDIS, page('BoursePriceStale', { symbol: 'BTC_USDC' })],
  ['a market partition', 'failed orders', UNSERVED, promise('order_availability')],
  ['a market partition', 'its standstill', UNSERVED, page('BoursePartitionStuck', { partition: 'trading/BTC_USDC/0' })],
  ['a gateway', 'failed requests', page('BourseMetricsAbsent', { program: 'gateway' }), promise('http_availability')],
])('Who was told of %s that is away is not told of %s', (_, __, source, target) => {
  expect(silences(source, target)).toBe(true)
})

test.each([
  ['RabbitMQ', 'prices that do not arrive', RABBITMQ, promise('price_freshness')],
  ['RabbitMQ', 'a gateway that vanishes', RABBITMQ, page('BourseMetricsAbsent', { program: 'gateway' })],
  ['RabbitMQ', 'the same in another installation', RABBITMQ, { ...promise('order_availability'), namespace: 'y' }],
  ['Redis', 'failed orders', REDIS, promise('order_availability')],
  ['Redis', 'partitions that nobody serves', REDIS, page('BoursePartitionNotServed', { partition: 'ledger/0' })],
  ['a market partition', 'failed bank trades', UNSERVED, promise('bank_trade_availability')],
  ['a market partition', 'another one’s standstill', UNSERVED, page('BoursePartitionStuck', { partition: 'ledger/0' })],
  ['a market partition', 'a ledger that vanishes', UNSERVED, page('BourseMetricsAbsent', { program: 'ledger' })],
  ['a market partition', 'money made or lost', UNSERVED, page('BourseLedgerImbalance', { partition: 'ledger/0' })],
])('Who was told of %s that is away is told of %s all the same', (_, __, source, target) => {
  expect(silences(source, target)).toBe(false)
})
