import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { parseBank, type Bank, type BankSpec } from '@bourse/common/resources/bank.ts'
import { createResourceSet } from '../src/platform/resources.ts'

const bankThat = (state: 'Active' | 'Suspended'): Bank => {
  const parsed = parseBank({
    apiVersion: 'bourse.dev/v1alpha1',
    kind: 'Bank',
    metadata: { name: 'north' },
    spec: {
      state,
      callback: { url: 'http://north.bank' },
      pairs: [
        {
          symbol: 'AZNUSDT',
          baseAsset: 'USDT',
          quoteAsset: 'AZN',
          minAmount: '1',
          maxAmount: '100',
          tickSize: '0.0001',
          lotSize: '0.01',
        },
      ],
    },
  })
  if (!parsed.ok) throw new Error('the manifest of this test breaks its rules')
  return parsed.value
}

const nobody: PartitionClient = {
  command: () => Promise.reject(new Error('no pair, no command')),
  read: () => Promise.reject(new Error('no pair, no question')),
}

describe('the specs in force', () => {
  test('are told again when one goes back to what it was before a change whose end nobody heard', async () => {
    const told: BankSpec['state'][] = []
    let isHeard = true
    const configure = (_: string, spec: BankSpec): Promise<Result<void>> => {
      told.push(spec.state)
      return Promise.resolve(isHeard ? ok(undefined) : refuse('UNAVAILABLE', 'the answer was lost'))
    }
    const set = createResourceSet({
      manifests: { pairs: [], banks: [bankThat('Active')] },
      topology: { ledgerPartitions: 1, bridgePartitions: 1, markets: new Map() },
      partitions: nobody,
      banks: { configure },
      withCallback: (bank) => bank,
      logger: pino({ level: 'silent' }),
    })
    const change = (state: 'Active' | 'Suspended'): Promise<void> =>
      set.change({ ok: true, manifests: { pairs: [], banks: [bankThat(state)] } })
    await set.applyAll()
    isHeard = false
    await expect(change('Suspended')).rejects.toThrow('the answer was lost')
    isHeard = true
    await change('Active')
    await change('Active')
    expect(told).toEqual(['Active', 'Suspended', 'Active'])
  })
})
