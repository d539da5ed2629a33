/** The ledger in plain bigint: the oracle of the WASM module. Slow and meant to be obviously right. */
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeHeader, encodeCommand, FLAG_WANTS_OUTCOME, isCommand, KIND_TIME } from '@bourse/common/kernel/command.ts'
import type { Effect, Machine } from '@bourse/common/kernel/machine.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { malformedOutcome, settledIdsOf } from '../../src/host/machine.ts'
import { KIND_LEDGER_OUTCOME, setInt128 } from '../../src/ledger/codec.ts'
import { LEDGER_BEHAVIOUR_VERSION, LEDGER_SCHEMA_VERSION, ledgerCapacityList } from '../../src/ledger/machine.ts'
import type { LedgerCapacities } from '../../src/ledger/machine.ts'
import { createReferenceIdTable, sameBytes } from '../id-table.ts'
import type { ReferenceIdTable, RememberedId } from '../id-table.ts'
import { createStateHash, wordsOf } from '../state-hash.ts'
import { INSURANCE_REFUND, POST, readInstruction } from './instruction.ts'
import type { ReadInstruction, ReadLeg } from './instruction.ts'
import { answerQuestion } from './queries.ts'
import { execute } from './rules.ts'
import type { Done } from './rules.ts'
import { createState, fromBytes, toBytes } from './state.ts'
import type { LedgerState } from './state.ts'

const KEPT_BODY_BYTES = 16
const TAG_STATE = 0x73746174n
const TAG_ACCOUNT = 0x61636374n
const TAG_HOLD = 0x686f6c64n
const NO_BODY = new Uint8Array(0)

interface Answer {
  readonly code: number
  readonly kind: number
  readonly body: Uint8Array
}

/** Effects of one command: target and bytes. */
type Send = (to: number, bytes: Uint8Array) => void

const outcomeBodyOf = (state: LedgerState, done: Done): Uint8Array => {
  const { balancesAfter, paid } = done
  const body = new Uint8Array(16 + 16 * balancesAfter.length + (paid === null ? 0 : 16))
  const view = new DataView(body.buffer)
  if (done.posted) view.setBigUint64(0, state.transactions, true)
  view.setUint8(8, balancesAfter.length)
  view.setUint8(9, done.existed ? 1 : 0)
  balancesAfter.forEach((balance, leg) => setInt128(view, 16 + 16 * leg, balance))
  if (paid !== null) setInt128(view, 16 + 16 * balancesAfter.length, paid)
  return body
}

const keptOf = (body: Uint8Array): Uint8Array => {
  const kept = body.slice(0, KEPT_BODY_BYTES)
  if (kept.length > 8) kept[8] = 0
  return kept
}

/** POST clearing −paid, house +paid: what the fund paid, on its way to the house. */
const refundPost = ({ legs, reference, transactionType }: ReadInstruction, paid: bigint): Uint8Array => {
  const body = new Uint8Array(32 + 2 * 48)
  const view = new DataView(body.buffer)
  view.setUint16(0, transactionType, true)
  view.setUint8(3, 2)
  body.set(reference, 16)
  const write = (at: number, leg: ReadLeg, amount: bigint): void => {
    body.set(leg.owner, at)
    view.setBigUint64(at + 16, leg.currency, true)
    view.setUint32(at + 24, leg.kind, true)
    setInt128(view, at + 32, amount)
  }
  write(32, legs[1]!, -paid)
  write(80, legs[2]!, paid)
  return encodeCommand({ kind: POST }, body)
}

const sendOn = (instruction: ReadInstruction, done: Done, send: Send): void => {
  if (done.code !== refusalNumbers.OK || done.existed || instruction.slipTarget === 0) return
  if (instruction.kind !== INSURANCE_REFUND) send(instruction.slipTarget, instruction.slip)
  else if (done.paid !== null && done.paid > 0n) send(instruction.slipTarget, refundPost(instruction, done.paid))
}

const hashOf = (state: LedgerState, ids: ReferenceIdTable): string => {
  const hash = createStateHash()
  hash.mix([state.transactions], TAG_STATE)
  for (const { key, balance, locked, version } of state.accounts.values()) {
    const money = [balance, balance >> 64n, locked, locked >> 64n, version]
    hash.mix([...wordsOf(key.owner), key.currency, BigInt(key.kind), ...money], TAG_ACCOUNT)
  }
  for (const hold of state.holdSlots) {
    if (hold === null) continue
    const { key } = state.accounts.get(hold.account)!
    const account = [...wordsOf(key.owner), key.currency, BigInt(key.kind)]
    hash.mix([...wordsOf(hold.id), BigInt(hold.index), ...account, hold.amount, hold.amount >> 64n], TAG_HOLD)
  }
  ids.mix(hash)
  return hash.hex()
}

interface Saved {
  readonly accounts: [string, LedgerState['accounts'] extends Map<string, infer Account> ? Account : never][]
  readonly holdSlots: LedgerState['holdSlots']
  readonly freeSlots: number[]
  readonly transactions: bigint
  readonly ids: RememberedId[]
}

const restored = (saved: Saved): LedgerState => {
  const holds = saved.holdSlots.flatMap((hold, slot): [string, number][] => (hold === null ? [] : [[hold.text, slot]]))
  const { holdSlots, freeSlots, transactions } = saved
  return { accounts: new Map(saved.accounts), holdSlots, freeSlots, holds: new Map(holds), transactions }
}

/**
 * A reference ledger with the interface, the outcomes, the effects and the state hash of the WASM one. Its
 * snapshots are its own.
 */
export const createReferenceLedgerMachine = (capacities: LedgerCapacities): Machine => {
  ledgerCapacityList(capacities)
  const ids = createReferenceIdTable(capacities.idsMax, KEPT_BODY_BYTES)
  let state = createState()

  const decide = (command: Uint8Array, now: bigint, behaviour: number, send: Send): Answer => {
    const { kind, id, requestHash } = decodeHeader(command)
    const refusal = (code: keyof typeof refusalNumbers): Answer => ({ code: refusalNumbers[code], kind, body: NO_BODY })
    if (kind === KIND_TIME) return refusal('OK')
    const instruction = readInstruction(command)
    if (instruction === null) return refusal('INVALID_COMMAND')
    const hasId = id.some((byte) => byte !== 0)
    const known = hasId ? ids.find(id) : undefined
    if (known !== undefined) return sameBytes(known.requestHash, requestHash) ? known : refusal('IDEMPOTENCY_CONFLICT')
    if (hasId && ids.isFull()) return refusal('UNAVAILABLE')
    const done = execute(state, instruction, capacities, behaviour)
    if (done.posted) state.transactions += 1n
    const body = done.code === refusalNumbers.OK ? outcomeBodyOf(state, done) : NO_BODY
    if (hasId && done.code !== refusalNumbers.UNAVAILABLE) {
      const asked = { id: id.slice(), requestHash: requestHash.slice(), time: now }
      ids.insert({ ...asked, code: done.code, kind, body: keptOf(body) })
    }
    sendOn(instruction, done, send)
    return { code: done.code, kind, body }
  }

  const refuseFaulty = (command: Uint8Array, now: bigint): Answer => {
    const { kind, id, requestHash } = decodeHeader(command)
    const answer = { code: refusalNumbers.ENGINE_FAULT, kind, body: NO_BODY }
    if (id.some((byte) => byte !== 0) && ids.find(id) === undefined && !ids.isFull()) {
      ids.insert({ ...answer, id: id.slice(), requestHash: requestHash.slice(), time: now })
    }
    return answer
  }

  const applyOne = (
    command: Uint8Array,
    now: bigint,
    decided: (command: Uint8Array) => Answer,
    send: Send,
  ): Uint8Array => {
    if (!isCommand(command)) return malformedOutcome()
    ids.expire(now)
    const { code, kind, body } = decided(command)
    const { id, flags, sender } = decodeHeader(command)
    const outcome = encodeOutcome({ code, kind, id }, body)
    if (sender !== 0 && (flags & FLAG_WANTS_OUTCOME) !== 0) {
      send(sender, encodeCommand({ kind: KIND_LEDGER_OUTCOME, id }, outcome))
    }
    return outcome
  }

  return {
    schemaVersion: LEDGER_SCHEMA_VERSION,
    behaviourVersion: LEDGER_BEHAVIOUR_VERSION,
    apply: (batch, now, behaviour, refused) => {
      const effects: Effect[] = []
      const outcomes = batch.map((command, commandIndex) => {
        const send: Send = (to, bytes) => effects.push({ to, bytes: bytes.slice(), commandIndex })
        const isRefused = refused?.has(commandIndex) === true
        const decided = isRefused ? refuseFaulty : decide
        return applyOne(command, now, (whole) => decided(whole, now, behaviour, send), send)
      })
      return { outcomes, effects, settledIds: settledIdsOf(outcomes) }
    },
    continuation: () => null,
    nextDeadline: () => null,
    query: (question) => ({
      bytes: isCommand(question) ? answerQuestion(state, ids, question) : malformedOutcome(),
      pending: false,
    }),
    snapshot: () => {
      const { accounts, holdSlots, freeSlots, transactions } = state
      return toBytes({ accounts: [...accounts], holdSlots, freeSlots, transactions, ids: ids.entries() })
    },
    restore: (bytes) => {
      const saved = fromBytes(bytes) as Saved
      state = restored(saved)
      ids.replace(saved.ids)
    },
    stateHash: () => hashOf(state, ids),
  }
}
