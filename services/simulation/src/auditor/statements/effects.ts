import {
  commandOrigins,
  COMMAND_HEADER_BYTES,
  decodeHeader,
  FLAG_WANTS_OUTCOME,
  withSender,
} from '@bourse/common/kernel/command.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { OUTSIDE_RECEIVER } from '@bourse/common/kernel/record.ts'
import { KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { bodyOf } from '@bourse/common/kernel/command.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import { closeLayout, openLayout, tradingKinds, updateLayout } from '@bourse/risk-rules/trading/codec.ts'
import { partitionParts } from '@bourse/common/kernel/partition.ts'
import { same } from '../evidence/bytes.ts'
import { instructionOf, instructionText, isInstruction, isLedger, type Instruction } from '../evidence/instruction.ts'
import type { AuditedRecord, Journals } from '../evidence/journals.ts'
import type { AppendTimes } from '../evidence/append-times.ts'
import type { Complain } from '../findings.ts'
import type { LedgerBook } from '../model/ledger/book.ts'

interface Sent {
  readonly number: bigint
  readonly bytes: Uint8Array
  readonly sequence: bigint
}

/** The three fields of an order that the receiver fills in when its turn comes. */
const quoteAt = new Map<number, number>([
  [tradingKinds.open, openLayout.offsets.feedBid],
  [tradingKinds.update, updateLayout.offsets.feedBid],
  [tradingKinds.close, closeLayout.offsets.feedBid],
])
const QUOTE_BYTES = 24

const withoutQuote = (command: Uint8Array): Uint8Array => {
  const offset = quoteAt.get(decodeHeader(command).kind)
  if (offset === undefined) return command
  const copy = command.slice()
  copy.fill(0, COMMAND_HEADER_BYTES + offset, COMMAND_HEADER_BYTES + offset + QUOTE_BYTES)
  return copy
}

const isTrading = (partition: PartitionNumber): boolean => partitionParts(partition).machine === 'trading'

/** Effects of a partition by receiver, each list in the order of its records. */
const effectsOf = (records: readonly AuditedRecord[]): Map<PartitionNumber, Sent[]> => {
  const byReceiver = new Map<PartitionNumber, Sent[]>()
  for (const { record } of records) {
    for (const { receiver, number, bytes } of record.effects) {
      const list = byReceiver.get(receiver) ?? []
      list.push({ number, bytes, sequence: record.sequence })
      byReceiver.set(receiver, list)
    }
  }
  return byReceiver
}

const checkNumbers = (
  sender: PartitionNumber,
  receiver: PartitionNumber,
  sent: readonly Sent[],
  complain: Complain,
): void => {
  sent.forEach(({ number, sequence }, index) => {
    if (number !== BigInt(index + 1))
      complain(
        'effects-once',
        `record ${sequence} of ${partitionName(sender)} numbers its effect to ${receiver} ${number}, not ${index + 1}`,
      )
  })
}

/** Every call to the outside has exactly one journaled answer. */
const checkOutside = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  sent: readonly Sent[],
  complain: Complain,
): void => {
  const answers = new Map<bigint, bigint>()
  for (const { entries } of records) {
    for (const { header, sequence } of entries) {
      if (header.origin !== commandOrigins.outside) continue
      const before = answers.get(header.sequence)
      if (before !== undefined)
        complain(
          'effects-once',
          `call ${header.sequence} of ${partitionName(partition)} is answered in record ${before} and in record ${sequence}`,
        )
      answers.set(header.sequence, sequence)
    }
  }
  for (const { number, sequence } of sent) {
    const answered = answers.get(number)
    if (answered === undefined) complain('effects-once', `call ${number} of ${partitionName(partition)} has no answer`)
    else if (answered <= sequence)
      complain('effects-once', `call ${number} of ${partitionName(partition)} is answered before it was decided`)
    answers.delete(number)
  }
  for (const number of answers.keys())
    complain('effects-once', `${partitionName(partition)} journals an answer to call ${number}, which it never made`)
}

/**
 * Every effect is numbered 1, 2, 3 … per sender and receiver and is journaled there exactly once, in order, with the bytes
 * that the sender journaled, and not before the sender's record was on the disk. At rest none is missing.
 */
export const checkEffects = (journals: Journals, appended: AppendTimes | null, complain: Complain): void => {
  const received = new Map<
    string,
    { readonly input: Uint8Array; readonly number: bigint; readonly sequence: bigint }[]
  >()
  for (const [partition, records] of journals) {
    for (const { entries } of records) {
      for (const { header, input, sequence } of entries) {
        if (header.origin !== commandOrigins.partition) continue
        const key = `${header.sender}>${partition}`
        const list = received.get(key) ?? []
        list.push({ input, number: header.sequence, sequence })
        received.set(key, list)
      }
    }
  }
  for (const [sender, records] of journals) {
    const byReceiver = effectsOf(records)
    checkOutside(sender, records, byReceiver.get(OUTSIDE_RECEIVER) ?? [], complain)
    for (const [receiver, sent] of byReceiver) {
      checkNumbers(sender, receiver, sent, complain)
      if (receiver === OUTSIDE_RECEIVER) continue
      const key = `${sender}>${receiver}`
      const got = received.get(key) ?? []
      received.delete(key)
      const way = `${partitionName(sender)} to ${journals.has(receiver) ? partitionName(receiver) : receiver}`
      if (got.length !== sent.length)
        complain('effects-once', `${way}: ${sent.length} effects are sent and ${got.length} journaled`)
      got.forEach(({ input, number, sequence }, index) => {
        const effect = sent[index]
        if (number !== BigInt(index + 1) || effect === undefined)
          return complain(
            'effects-once',
            `${way}: record ${sequence} takes effect ${number} where ${index + 1} is next`,
          )
        const expected = withSender(effect.bytes, sender, number)
        const isSame = isTrading(receiver) ? same(withoutQuote(input), withoutQuote(expected)) : same(input, expected)
        if (!isSame)
          complain('effects-once', `${way}: effect ${number} is journaled with other bytes than it was sent with`)
        const left = appended?.of(sender, effect.sequence) ?? null
        const arrived = appended?.of(receiver, sequence) ?? null
        if (left !== null && arrived !== null && arrived < left)
          complain(
            'effects-once',
            `${way}: effect ${number} is journaled at ${arrived} ms, its sender's record is on the disk at ${left} ms only`,
          )
      })
    }
  }
  for (const [key, got] of received)
    complain('effects-once', `${got.length} effects ${key} are journaled and were never sent`)
}

const refundPost = (instruction: Instruction, paid: bigint): Instruction => {
  const [, clearing, house] = instruction.legs
  if (clearing === undefined || house === undefined) throw new Error('an insurance refund has three legs')
  return {
    ...instruction,
    kind: 'POST',
    holds: [],
    slip: null,
    legs: [
      { ...clearing, amount: -paid },
      { ...house, amount: paid },
    ],
  }
}

const receivers = (list: readonly { readonly to: number }[]): string => list.map(({ to }) => to).join()

/** What a ledger sends on is what its instructions say: slips of those carried out, refunds, outcomes to those who want them. */
export const checkLedgerEffects = (records: readonly AuditedRecord[], book: LedgerBook, complain: Complain): void => {
  const doneBy = new Map(book.done.map((done) => [done.entry, done]))
  for (const { record, entries } of records) {
    const expected: { readonly to: number; readonly text: string }[] = []
    for (const entry of entries) {
      const done = doneBy.get(entry)
      if (done !== undefined && done.instruction.slip !== null) {
        const { slip, kind } = done.instruction
        if (kind !== 'INSURANCE_REFUND')
          expected.push({
            to: slip.target,
            text: commandText(slip.target, decodeInstruction(entry.input).slip?.command ?? new Uint8Array(0)),
          })
        else if (done.paid > 0n)
          expected.push({ to: slip.target, text: instructionText(refundPost(done.instruction, done.paid)) })
      }
      const { sender, flags } = entry.header
      if (sender !== 0 && (flags & FLAG_WANTS_OUTCOME) !== 0)
        expected.push({ to: sender, text: `outcome ${Buffer.from(entry.outcome).toString('hex')}` })
    }
    const found = record.effects.map(({ receiver, bytes }) => ({ to: receiver, text: commandText(receiver, bytes) }))
    const isSame =
      found.length === expected.length &&
      found.every(({ to, text }, index) => to === expected[index]?.to && text === expected[index].text)
    if (!isSame)
      complain(
        'ledger-sends',
        `record ${record.sequence} of ${partitionName(record.partition)} sends [${receivers(found)}]; ` +
          `its instructions say [${receivers(expected)}], or with other content`,
      )
  }
}

/** A command as text: an instruction by its meaning, an outcome by its bytes, an order to open or close by its own. */
const commandText = (receiver: PartitionNumber, command: Uint8Array): string => {
  if (command.length < COMMAND_HEADER_BYTES) return 'nothing'
  const { kind } = decodeHeader(command)
  if (kind === KIND_LEDGER_OUTCOME) return `outcome ${Buffer.from(bodyOf(command)).toString('hex')}`
  if (isLedger(receiver) && isInstruction(kind)) return instructionText(instructionOf(decodeInstruction(command)))
  return Buffer.from(command).toString('hex')
}
