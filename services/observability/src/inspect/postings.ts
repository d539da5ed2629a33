import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeRecord, type JournalRecord } from '@bourse/common/kernel/record.ts'
import { partitionTitle } from '@bourse/common/platform/topology.ts'
import { transactionTypeOfNumber } from '@bourse/risk-rules/ledger/accounts.ts'
import { decodeInstruction, ledgerKinds, type DecodedInstruction, type Leg } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome, type LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { tradeReferenceLayout } from '@bourse/risk-rules/trading/codec.ts'
import type { InspectSource } from './source.ts'
import type { TradeHistory } from './trade.ts'

/** What a ledger partition did for a trade. */
export interface Posting {
  readonly partition: string
  readonly sequence: bigint
  /** Ms. */
  readonly now: bigint
  readonly kind: string
  readonly transactionType: string | null
  readonly code: string
  readonly transactionNumber: bigint | null
  readonly legs: readonly (Leg & { readonly balanceAfter: bigint | null })[]
}

const kinds: ReadonlySet<number> = new Set(Object.values(ledgerKinds))
const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0

/** The legs that were booked: a refund pays what the fund had, a hold locks. */
const bookedLegs = ({ kind, legs }: DecodedInstruction, { paid }: LedgerOutcome): readonly Leg[] => {
  const [insurance, clearing] = legs
  if (kind !== 'INSURANCE_REFUND' || insurance === undefined || clearing === undefined) return legs
  return [
    { ...insurance, amount: -(paid ?? 0n) },
    { ...clearing, amount: paid ?? 0n },
  ]
}

const postingOf = (source: InspectSource, record: JournalRecord, index: number): Posting => {
  const instruction = decodeInstruction(record.inputs[index]!)
  const outcome = decodeLedgerOutcome(record.outcomes[index]!)
  const balances = instruction.kind === 'HOLD' ? [] : outcome.balancesAfter
  return {
    partition: partitionTitle(source.topology, record.partition),
    sequence: record.sequence,
    now: record.now,
    kind: instruction.kind,
    transactionType: transactionTypeOfNumber(instruction.transactionType),
    code: outcome.code,
    transactionNumber: outcome.transactionNumber,
    legs: bookedLegs(instruction, outcome).map((leg, at) => ({ ...leg, balanceAfter: balances[at] ?? null })),
  }
}

/** Everything that the ledger did for a trade: its holds, its settlements, and what went through clearing to the insurance. */
export const postingsOf = async (source: InspectSource, history: TradeHistory): Promise<readonly Posting[]> => {
  const { place, opening } = history
  const { openId, ledgerPartition } = opening.trade
  const { market: marketNumber, partitionIndex, tradeNumber } = place
  const reference = tradeReferenceLayout.encode({ marketNumber, partitionIndex, tradeNumber })
  const needles = [openId, reference].map((bytes) => Buffer.from(bytes))
  const isOfTrade = (input: Uint8Array): boolean => {
    const { kind, id } = decodeHeader(input)
    if (!kinds.has(kind)) return false
    // What only carries the news of other stops moves nothing.
    if (kind === ledgerKinds.OPEN_ACCOUNT) return false
    return isSame(id, openId) || isSame(decodeInstruction(input).reference, reference)
  }
  const found: Posting[] = []
  for (const partition of new Set([ledgerPartition, opening.spec.insurancePartition])) {
    for await (const { body } of source.readFrom(partition, 1n)) {
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      if (!needles.some((needle) => bytes.includes(needle))) continue
      const record = decodeRecord(body)
      for (const [index, input] of record.inputs.entries())
        if (isOfTrade(input)) found.push(postingOf(source, record, index))
    }
  }
  return found.sort((a, b) => Number(a.now - b.now) || Number(a.sequence - b.sequence))
}

/** What the customer's account gained by the postings of a trade. */
export const customerChange = (postings: readonly Posting[]): bigint =>
  postings
    .filter(({ kind, code }) => kind !== 'HOLD' && code === 'OK')
    .flatMap(({ legs }) => legs)
    .reduce((sum, { kind, amount }) => (kind === 'customer' ? sum + amount : sum), 0n)
