import { describe, expect, test } from '@jest/globals'
import { decodeReply } from '@bourse/bridge/codec/reply.ts'
import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionName, partitionParts } from '@bourse/common/kernel/partition.ts'
import { emptyState, replayRecord } from '@bourse/common/kernel/partition-state.ts'
import { decodeRecord, verifyRecord } from '@bourse/common/kernel/record.ts'
import { stateHashOf } from '@bourse/common/kernel/snapshot-codec.ts'
import { ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import { expectedOf, machinesOf, readJournal, releases } from './journals.ts'

const cases = releases().flatMap((release) =>
  expectedOf(release).flatMap((expected) =>
    machinesOf(expected.partition).map(([machine, make]) => ({
      title: `${release} ${partitionName(expected.partition)} on ${machine}`,
      release,
      expected,
      make,
    })),
  ),
)

const tradingStory = ['spec', 'open', 'close', 'tick', 'funding', 'state'] as const
const refusalsOfTrading = [
  'INVALID_STOP_LOSS',
  'LEVERAGE_TOO_HIGH',
  'MARGIN_TOO_SMALL',
  'MARKET_HALTED',
  'TRADE_CLOSED',
  'TRADE_NOT_FOUND',
]
const refusalsOfBridge = [
  'BANK_DECLINED',
  'INSUFFICIENT_FUNDS',
  'INSUFFICIENT_LIQUIDITY',
  'LIMIT_EXCEEDED',
  'QUOTE_USED',
]

describe('journals of every release', () => {
  test.each(cases)(
    '$title replays to the state it was, every outcome and effect the same',
    ({ release, expected, make }) => {
      const { partition } = expected
      const state = emptyState(partition, make())
      for (const stored of readJournal(release, partition)) {
        const sequence = state.sequence + 1n
        const record = verifyRecord(stored, { partition, sequence, previousHash: state.hash })
        replayRecord(state, record, stored.hash)
      }
      const found = {
        partition,
        records: Number(state.sequence),
        lastHash: Buffer.from(state.hash).toString('hex'),
        stateHash: stateHashOf(state),
      }
      expect(found).toEqual(expected)
    },
  )

  test.each(releases())('%s holds every kind of command, and refusals of each machine', (release) => {
    const of = (machine: string) => {
      const journals = expectedOf(release).filter(({ partition }) => partitionParts(partition).machine === machine)
      const records = journals
        .flatMap(({ partition }) => readJournal(release, partition))
        .map(({ body }) => decodeRecord(body))
      const codes = records.flatMap(({ outcomes }) => outcomes).map((outcome) => decodeOutcomeHeader(outcome).code)
      const kinds = records.flatMap(({ inputs }) => inputs).map((input) => decodeHeader(input).kind)
      return { records, codes: new Set(codes.map(codeOfNumber)), kinds: new Set(kinds) }
    }
    const [ledger, trading, bridge] = [of('ledger'), of('trading'), of('bridge')]
    expect(Object.entries(ledgerKinds).filter(([, kind]) => !ledger.kinds.has(kind))).toEqual([])
    expect(tradingStory.filter((kind) => !trading.kinds.has(tradingKinds[kind]))).toEqual([])
    expect(bridge.kinds.size).toBeGreaterThanOrEqual(6)
    expect([...ledger.codes]).toEqual(expect.arrayContaining(['OK', 'IDEMPOTENCY_CONFLICT', 'INSUFFICIENT_FUNDS']))
    expect([...trading.codes]).toEqual(expect.arrayContaining(['OK', ...refusalsOfTrading]))
    // What the bridge refuses after acceptance is a transaction that failed.
    const ends = bridge.records
      .flatMap(({ outcomes }) => outcomes)
      .flatMap((outcome) => decodeReply(outcome).transactions)
      .map(({ code }) => codeOfNumber(code))
    expect(ends).toEqual(expect.arrayContaining(['OK', ...refusalsOfBridge]))
  })
})
