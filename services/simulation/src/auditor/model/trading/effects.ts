import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord, NumberedEffect } from '@bourse/common/kernel/record.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import { instructionOf, instructionText, isInstruction } from '../../evidence/instruction.ts'
import type { Complain } from '../../findings.ts'
import type { Owed } from './desk.ts'

const STATEMENT = 'trade-transfers'

/** Bytes of a transfer's memo before the trade. */
const MEMO_HEADER_BYTES = 8

const sentText = ({ receiver, bytes }: NumberedEffect): string =>
  isInstruction(decodeHeader(bytes).kind)
    ? `at ${receiver}: ${instructionText(instructionOf(decodeInstruction(bytes)))}`
    : 'no instruction'

const owedText = (owed: Owed | undefined): string =>
  owed === undefined ? 'nothing' : `at ${owed.transfer.partition}: ${instructionText(owed.transfer.instruction)}`

const carries = ({ bytes }: NumberedEffect, trade: Uint8Array): boolean => {
  const memo = decodeInstruction(bytes).memo.subarray(MEMO_HEADER_BYTES)
  return Buffer.compare(memo.subarray(0, trade.length), trade) === 0
}

/** A record's effects are the transfers that its trades owe, in order, each with the trade that the outcome tells. */
export const checkEffectsOfTrades = (
  { partition, sequence, effects }: JournalRecord,
  owed: readonly Owed[],
  complain: Complain,
): void => {
  const from = partitionName(partition)
  effects.forEach((effect, index) => {
    const expected = owed[index]
    const [found, due] = [sentText(effect), owedText(expected)]
    if (found !== due) complain(STATEMENT, `record ${sequence} of ${from} sends ${found}; it owes ${due}`)
    else if (expected !== undefined && expected.memo !== null && !carries(effect, expected.memo))
      complain(STATEMENT, `effect ${effect.number} of ${from} carries another trade than the outcome tells`)
  })
  if (owed.length > effects.length)
    complain(STATEMENT, `record ${sequence} of ${from} sends ${effects.length} transfers of ${owed.length} it owes`)
}
