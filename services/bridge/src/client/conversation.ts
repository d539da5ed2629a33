import { ok, refuse, type Refusal, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionClient, ReadOptions } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { encodeQuestion, type Question } from '../codec/questions.ts'
import { decodeReply, type Reply } from '../codec/reply.ts'

/** Longest time an edge waits for a command to be ordered or a question to be answered, parking not counted. */
export const ANSWER_DEADLINE_MS = 10_000

/** What came of a command: of a refusal that is open it is not known whether the command was executed. */
export type Ordered =
  | { readonly ok: true; readonly value: Reply }
  | { readonly ok: false; readonly refusal: Refusal; readonly isOpen: boolean }

/** Says something to a bridge partition and understands its answer: a refusal is a refusal, whoever made it. */
export interface Conversation {
  command(partition: PartitionNumber, command: Uint8Array): Promise<Ordered>
  /** Answered within 10 s, parking not counted, unless `deadlineMs` is given. */
  ask(partition: PartitionNumber, question: Question, options?: Partial<ReadOptions>): Promise<Result<Reply>>
}

const resultOf = (outcome: Uint8Array): Result<Reply> => {
  const reply = decodeReply(outcome)
  if (reply.code === 'OK' || reply.recorded) return ok(reply)
  return reply.retryAfterSeconds === 0
    ? refuse(reply.code, reply.message)
    : refuse(reply.code, reply.message, reply.retryAfterSeconds)
}

/** Makes a conversation on a client of partitions. */
export const createConversation = (partitions: PartitionClient): Conversation => ({
  command: async (partition, command) => {
    const answer = await partitions.command(partition, command, ANSWER_DEADLINE_MS)
    if (!answer.ok) return { ...answer, isOpen: answer.refusal.isOpen }
    const result = resultOf(answer.value.outcome)
    return result.ok ? result : { ...result, isOpen: false }
  },
  ask: async (partition, question, options = {}) => {
    const deadlineMs = ANSWER_DEADLINE_MS + (options.parkMs ?? 0)
    const answer = await partitions.read(partition, encodeQuestion(question), { deadlineMs, ...options })
    return answer.ok ? resultOf(answer.value.outcome) : answer
  },
})
