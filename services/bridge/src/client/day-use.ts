import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeDayUse } from '../codec/day-use.ts'
import { formatFiat } from '../codec/present.ts'
import { encodeQuestion } from '../codec/questions.ts'
import { ANSWER_DEADLINE_MS } from './conversation.ts'
import type { BankDayUse } from './types.ts'

const DAY_MS = 86_400_000
const DATE_CHARACTERS = 10

/** What a bank has used of its limit on the UTC day of `nowMs`: what was counted on a day before it is of no account any more. */
export const askDayUse = async (
  partitions: PartitionClient,
  partition: PartitionNumber,
  bank: string,
  nowMs: number,
): Promise<Result<BankDayUse>> => {
  const question = encodeQuestion({ kind: 'dayUse', bank })
  const answer = await partitions.read(partition, question, { deadlineMs: ANSWER_DEADLINE_MS })
  if (!answer.ok) return answer
  const use = decodeDayUse(answer.value.outcome)
  if (typeof use === 'string') return refuse('UNAVAILABLE', 'the bank is not known here yet; try again', 1)
  const counted = Number(use.day)
  // The machine's clock may be a little ahead of ours: what it counted on a newer day is that day's.
  const day = Math.max(Math.floor(nowMs / DAY_MS), counted)
  return ok({
    day: new Date(day * DAY_MS).toISOString().slice(0, DATE_CHARACTERS),
    used: formatFiat(day === counted ? use.total : 0n),
  })
}
