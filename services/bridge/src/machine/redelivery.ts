import type { CommandHeader } from '@bourse/common/kernel/command.ts'
import { OUTSIDE } from '@bourse/common/kernel/machine.ts'
import { encodeCall, type RedeliveryAnswer } from '../codec/calls.ts'
import type { RedeliverCommand } from '../codec/commands.ts'
import { hexOf, transactionIdOf } from '../codec/identifiers.ts'
import { EMPTY_REPLY, type Reply } from '../codec/reply.ts'
import { REDELIVERIES_MAX, WINDOW_MS, type BankState, type Redelivery, type Turn } from './state.ts'

/*
 * Events that a bank has acknowledged, sent again because it asks for them. They have a lane of their own, one call at a time, so
 * that the regular events neither wait for them nor are overtaken. Their bodies are in the views: the call names the sequence.
 */

/** Events of one redelivery. */
export const REDELIVERY_EVENTS_MAX = 100n
/** How long a redelivery is tried; what the bank has not acknowledged by then it may ask for once more. */
export const REDELIVERY_MS = WINDOW_MS

const refusal = (code: Reply['code'], message: string, retryAfterSeconds = 0): Reply => ({
  ...EMPTY_REPLY,
  code,
  message,
  retryAfterSeconds,
})

const accepted = ({ through }: Redelivery): Reply => ({ ...EMPTY_REPLY, recorded: true, eventSequence: through })

const conflict = refusal('IDEMPOTENCY_CONFLICT', 'the key was used for another call or body; use a new key')

/** Sequence of the last event that the bank has acknowledged, with all before it. */
const acknowledgedThrough = (bank: BankState): bigint => {
  const first = bank.events.keys().next()
  return first.done === true ? bank.eventSequence : first.value - 1n
}

/** Sends the event that is next, unless one is on its way. */
export const pumpRedeliveries = (turn: Turn, bank: BankState): void => {
  if (bank.redeliveryRunning) return
  for (const redelivery of bank.redeliveries.values()) {
    if (redelivery.next > redelivery.through) continue
    const { name, callbackUrl, callbackTimeoutMs } = bank.rules
    const { id, next: sequence } = redelivery
    bank.redeliveryRunning = true
    const call = { kind: 'redeliver', id, bank: name, callbackUrl, timeoutMs: callbackTimeoutMs, sequence } as const
    turn.effects.push({ to: OUTSIDE, bytes: encodeCall(call), commandIndex: turn.commandIndex })
    return
  }
}

/** The range that a command asks for, or why it can't be had. */
const rangeOf = (bank: BankState, { first, through }: RedeliverCommand): Reply | { readonly through: bigint } => {
  const known = acknowledgedThrough(bank)
  const last = first + REDELIVERY_EVENTS_MAX - 1n
  const missing = first > bank.eventSequence ? first : through > bank.eventSequence ? through : null
  if (first < 1n || (through !== 0n && through < first))
    return refusal('VALIDATION_ERROR', 'from must be at least 1, and to no less than from')
  if (through > last)
    return refusal('VALIDATION_ERROR', `at most ${REDELIVERY_EVENTS_MAX} events are sent again at once; ask for fewer`)
  if (missing !== null)
    return refusal('NOT_FOUND', `there is no event ${missing}; the last one is ${bank.eventSequence}`)
  if (first > known || through > known)
    return refusal('VALIDATION_ERROR', `event ${known + 1n} is not acknowledged yet and is sent anyway; end before it`)
  return { through: through !== 0n ? through : last < known ? last : known }
}

/** Why the bank can't ask now, or null. */
const faultOfBank = (bank: BankState, now: bigint): Reply | null => {
  if (bank.rules.suspended)
    return refusal('BANK_SUSPENDED', `bank ${bank.rules.name} is suspended; ask the platform's operator`)
  if (bank.redeliveries.size < REDELIVERIES_MAX) return null
  const oldest = bank.redeliveries.values().next().value?.acceptedAt ?? now
  const seconds = Number((oldest + WINDOW_MS - now) / 1_000n) + 1
  return refusal(
    'RATE_LIMITED',
    `${REDELIVERIES_MAX} redeliveries within ten minutes; try again later`,
    Math.max(seconds, 1),
  )
}

/** Takes a redelivery on: repeated, refused, or begun with its first event. */
export const redeliver = (turn: Turn, header: CommandHeader, command: RedeliverCommand): Reply => {
  const bank = turn.state.banks.get(command.bank)
  if (header.id.every((byte) => byte === 0)) return refusal('INVALID_COMMAND', 'the command needs an id')
  if (bank === undefined) return refusal('UNAVAILABLE', 'the bank is not known here yet; try again', 1)
  const hex = hexOf(header.id)
  const known = bank.redeliveries.get(hex)
  if (known !== undefined)
    return Buffer.compare(known.requestHash, header.requestHash) === 0 ? accepted(known) : conflict
  if (turn.state.transactions.has(hexOf(transactionIdOf(header.id)))) return conflict
  const fault = faultOfBank(bank, turn.now)
  if (fault !== null) return fault
  const range = rangeOf(bank, command)
  if ('code' in range) return range
  const made: Redelivery = {
    id: header.id.slice(),
    requestHash: header.requestHash.slice(),
    first: command.first,
    through: range.through,
    next: command.first,
    acceptedAt: turn.now,
  }
  bank.redeliveries.set(hex, made)
  pumpRedeliveries(turn, bank)
  return accepted(made)
}

/** The bank's answer to an event that was sent again: on to the next one, once more, or given up. */
export const onRedelivery = (turn: Turn, bank: BankState, answer: RedeliveryAnswer): void => {
  bank.redeliveryRunning = false
  const redelivery = bank.redeliveries.get(hexOf(answer.id))
  if (redelivery !== undefined && redelivery.next === answer.sequence) {
    if (answer.acknowledged) redelivery.next += 1n
    else if (redelivery.acceptedAt + REDELIVERY_MS <= turn.now) redelivery.next = redelivery.through + 1n
  }
  pumpRedeliveries(turn, bank)
}
