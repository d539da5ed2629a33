import { describe, expect, test } from '@jest/globals'
import { encodeConfig, encodeMove } from '@bourse/bridge/codec/commands.ts'
import { createBridgeMachine } from '@bourse/bridge/machine/machine.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Node } from '../../src/platform/node.ts'
import type { Operator } from '../../src/platform/operator.ts'
import { unrestOf } from '../../src/platform/unrest.ts'

const BRIDGE = partitionNumber('bridge', 0)
const NOW = 1_760_000_000_000n
const ONE = 100_000_000n

/** A bridge with a bank, and with a deposit that waits for the ledger when told so. */
const bridgeWith = (isMoving: boolean): Machine => {
  const machine = createBridgeMachine({ ledgerPartitions: 1 })
  const rules = {
    name: 'demo',
    suspended: false,
    callbackUrl: 'http://bank',
    callbackTimeoutMs: 2_000,
    callbackRetries: 3,
    quoteTtlMs: 10_000,
    slippageBps: 0n,
    dailyAmount: 1_000n * ONE,
    dailyAmountPerCustomer: 1_000n * ONE,
    limitCurrency: 'AZN',
    pairs: [
      {
        symbol: 'AZNUSDT',
        baseAsset: 'USDT',
        quoteAsset: 'AZN',
        spreadBps: 0n,
        minAmount: ONE,
        maxAmount: 1_000n * ONE,
        tickSize: ONE / 100n,
        lotSize: ONE / 100n,
      },
    ],
  }
  const money = { bank: 'demo', bankUserId: 'one', amount: ONE, currency: 'AZN' }
  const deposit = { ...money, idempotencyKey: 'move-1', type: 'DEPOSIT', reference: 'cash' } as const
  const keyed = { id: new Uint8Array(16).fill(1), requestHash: new Uint8Array(16).fill(2) }
  const commands = [encodeConfig(rules), ...(isMoving ? [encodeMove(keyed, deposit)] : [])]
  machine.apply(commands, NOW, machine.behaviourVersion)
  return machine
}

/** One node that serves one bridge partition; what it serves with can be changed. */
const bridgeNode = (first: Machine) => {
  let [machine, sequence] = [first, 7n]
  const status = () => ({ waiting: 0, unconfirmedEffects: 0, outsideCalls: 0, parkedReads: 0, sequence })
  const served = new Map([[BRIDGE, { runner: { status }, machine: () => machine, isLeaving: false }]])
  const views = { projector: () => ({ projectedThrough: () => sequence }) }
  const life = { serving: { served }, views, admin: null }
  const node = { name: 'node-1', life, isPaused: false, roles: { views: true } } as unknown as Node
  const operator = { ownerOf: () => node, unrest: () => [][Symbol.iterator]() } as unknown as Operator
  return {
    unrest: () => [...unrestOf({ nodes: [node], operator, partitions: [BRIDGE], headOf: () => sequence })],
    serveWith: (other: Machine, at = sequence) => {
      ;[machine, sequence] = [other, at]
    },
  }
}

describe('A platform', () => {
  test('is not at rest while a bank transaction is under way that nothing else shows', () => {
    const { unrest, serveWith } = bridgeNode(bridgeWith(true))
    expect(unrest()).toEqual(['bridge/0 has 1 transactions under way'])
    expect(unrest()).toEqual(['bridge/0 has 1 transactions under way'])
    serveWith(bridgeWith(false), 8n)
    expect(unrest()).toEqual([])
  })

  test('does not remember what a machine held whose record was never appended', () => {
    const { unrest, serveWith } = bridgeNode(bridgeWith(true))
    expect(unrest()).toHaveLength(1)
    serveWith(bridgeWith(false))
    expect(unrest()).toEqual([])
  })
})
