import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { commandModel } from '@bourse/common/views/models.ts'
import { commandKinds, encodeRedeliver } from '../codec/commands.ts'
import { hexOf } from '../codec/identifiers.ts'
import { decodeReply, type Reply } from '../codec/reply.ts'
import type { Conversation } from './conversation.ts'
import { VIEW_LAG_MS_MAX } from './orders.ts'
import type { BankRedelivery, BankRedeliveryRequest, ViewFreshness } from './types.ts'

/** What redeliveries need. */
export interface RedeliveryDeps {
  readonly conversation: Conversation
  readonly views: Pick<Views, 'get'>
  readonly clock: Clock
  readonly viewFreshness: ViewFreshness
}

const rangeOf = ({ from }: BankRedeliveryRequest, { eventSequence }: Reply): BankRedelivery => {
  const to = Number(eventSequence)
  return { from, to, count: to - from + 1 }
}

/** The outcome of a key that has left the machine, or null: it may be new. */
const outcomeInView = async (
  views: Pick<Views, 'get'>,
  request: BankRedeliveryRequest,
): Promise<Result<BankRedelivery> | null> => {
  const { id, requestHash } = request.identity
  const found = await views.get(commandModel, hexOf(id))
  if (found === null) return null
  if (found.kind !== commandKinds.redeliver || found.requestHash !== hexOf(requestHash))
    return refuse('IDEMPOTENCY_CONFLICT', 'the key was used for another call or body; use a new key')
  return ok(rangeOf(request, decodeReply(Buffer.from(found.outcome, 'base64'))))
}

/** Asks for events to be sent again; the same key gets its first outcome, however old it is, and sends nothing twice. */
export const orderRedelivery = async (
  { conversation, views, clock, viewFreshness }: RedeliveryDeps,
  partition: PartitionNumber,
  request: BankRedeliveryRequest,
): Promise<Result<BankRedelivery>> => {
  const { identity, bank, from, to } = request
  // Asked before the view is: a view that catches up in between may have lacked the id when it was read.
  const lagMs = clock.nowMs() - (await viewFreshness(partition))
  const old = await outcomeInView(views, request)
  if (old !== null) return old
  if (lagMs > VIEW_LAG_MS_MAX) return refuse('UNAVAILABLE', 'the record of older calls is behind; try again', 1)
  const command = encodeRedeliver(identity, { bank, first: BigInt(from), through: BigInt(to ?? 0) })
  const taken = await conversation.command(partition, command)
  return taken.ok ? ok(rangeOf(request, taken.value)) : taken
}
