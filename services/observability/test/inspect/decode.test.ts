import { describe, expect, test } from '@jest/globals'
import { encodeRedeliver } from '@bourse/bridge/codec/commands.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import {
  directions,
  encodeOpen,
  encodeSpec,
  encodeTick,
  encodeUpdate,
  KEEP_AS_IT_IS,
} from '@bourse/risk-rules/trading/codec.ts'
import { sampleSpec, SAMPLE_START_MS } from '@bourse/risk-rules/reference/sample-market.ts'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeCommand, decodeOutcome } from '../../src/inspect/decode.ts'

const ID = new Uint8Array(16).fill(1)
const price = parseAmount('50000')
const quote = { feedBid: price, feedAsk: price, quoteTime: SAMPLE_START_MS }

describe('what inspect shows', () => {
  test('of an update and of its repeat: moments as moments, prices as prices', () => {
    const machine = createReferenceTradingMachine({ tradesMax: 4, idsMax: 40 })
    const ledgerPartition = partitionNumber('ledger', 0)
    const open = {
      account: ID,
      ledgerPartition,
      direction: directions.LONG,
      leverage: 10,
      margin: parseAmount('100'),
      stopLoss: 0n,
      takeProfit: 0n,
      worstPrice: 0n,
      openBps: sampleSpec.openBps,
      ...quote,
    }
    const stops = { stopLoss: parseAmount('49000'), takeProfit: KEEP_AS_IT_IS }
    const header = { id: new Uint8Array(16).fill(2), requestHash: ID }
    const update = encodeUpdate({ account: ID, tradeNumber: 1n, ...stops, ...quote }, header)
    const { outcomes } = machine.apply(
      [
        encodeSpec({ ...sampleSpec, insurancePartition: ledgerPartition }),
        encodeTick({ ...quote, previousBid: 0n, previousAsk: 0n }),
        encodeOpen(open, { id: ID, requestHash: ID }),
        update,
        update,
      ],
      SAMPLE_START_MS,
      machine.behaviourVersion,
    )
    const at = new Date(Number(SAMPLE_START_MS)).toISOString()
    for (const outcome of outcomes.slice(-2))
      expect(decodeOutcome('trading', outcome)).toMatchObject({
        code: 'OK',
        fields: { tradeNumber: '1', stopLoss: '49000', takeProfit: '0', updatedAt: at, openedAt: at },
      })
    expect(decodeCommand('trading', update).fields).toMatchObject({
      stopLoss: '49000',
      takeProfit: 'as it is',
      quoteTime: at,
    })
  })

  test('of a redelivery: sequences as numbers', () => {
    const command = encodeRedeliver({ id: ID, requestHash: ID }, { bank: 'demo', first: 3n, through: 12n })
    expect(decodeCommand('bridge', command).fields).toEqual({ bank: 'demo', first: '3', through: '12' })
  })
})
