import { codeOfOutcome, type PartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import {
  ok,
  refusalNumbers,
  refuse,
  type OutcomeCode,
  type RefusalCode,
  type Result,
} from '@bourse/common/errors/codes.ts'
import { bytesOfHex, derivedId, hexOf } from '@bourse/common/platform/identity.ts'
import { refusingPortFailures } from '@bourse/common/platform/refusing.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { ledgerPartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { rememberedCommand } from '@bourse/common/views/commands.ts'
import { ledgerEntryModel } from '@bourse/common/views/models.ts'
import {
  accountKindOfNumber,
  customerAccountKey,
  insurancePartitionOf,
  systemAccountKey,
  transactionTypes,
} from '@bourse/risk-rules/ledger/accounts.ts'
import {
  encodeLedgerCommand,
  openAccountInstruction,
  type Instruction,
  type Leg,
} from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome, type LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { balancesQuestion, decodeBalances } from '@bourse/risk-rules/ledger/queries.ts'
import type { Balance, LedgerClient } from './types.ts'

/** How long a command may take before the edge answers UNAVAILABLE. */
export const LEDGER_DEADLINE_MS = 5_000

/** Corrections of one transaction that may be refused, one after the other, before no more are tried. */
export const CORRECTION_ATTEMPTS_MAX = 64

/** Owner of the capital accounts that administration moves money from and to. */
const CAPITAL = 'capital'

const remedies: Partial<Record<OutcomeCode, string>> = {
  INSUFFICIENT_FUNDS: 'the account has less than that available; use a smaller amount',
  ACCOUNT_NOT_FOUND: 'there is no such account; open it first (CREATE_ACCOUNT)',
  AMOUNT_OVERFLOW: 'a balance would leave the range of 20 digits; use a smaller amount',
  CAPACITY_EXCEEDED: 'the partition holds as many accounts or holds as it was made for; nothing was booked',
  IDEMPOTENCY_CONFLICT: 'this idempotency key was used for another request; use a new key',
  ENGINE_FAULT: 'the command failed inside the ledger and changed nothing; it was reported',
  UNAVAILABLE: 'the ledger takes no new commands right now; try again',
}

/** A refusal of the ledger in words. */
export const ledgerRefusal = (code: RefusalCode): Result<never> =>
  refuse(code, remedies[code] ?? `the ledger refused: ${code}`)

/** Public id of a ledger transaction. */
export const ledgerTransactionId = (partition: PartitionNumber, number: bigint): string => `${partition}:${number}`

/** Makes the client. */
export const createLedgerClient = (deps: {
  readonly partitions: PartitionClient
  readonly topology: Topology
  readonly views: Views
  /** False while the views of a partition lag by more than half the window: an old id could then be missed. */
  readonly viewsAreFresh: (partition: PartitionNumber) => boolean
}): LedgerClient => {
  const { partitions, topology, views } = deps

  const order = async (
    partition: PartitionNumber,
    identity: CommandIdentity,
    instruction: Instruction,
  ): Promise<Result<LedgerOutcome>> => {
    if (identity.keyed && !deps.viewsAreFresh(partition)) return ledgerRefusal('UNAVAILABLE')
    const remembered = identity.keyed ? await rememberedCommand(views, identity.id) : null
    if (remembered !== null) {
      if (Buffer.compare(bytesOfHex(remembered.view.requestHash), identity.requestHash) !== 0)
        return ledgerRefusal('IDEMPOTENCY_CONFLICT')
      return judged(remembered.outcome)
    }
    const command = encodeLedgerCommand({ id: identity.id, requestHash: identity.requestHash }, instruction)
    const answer = await partitions.command(partition, command, LEDGER_DEADLINE_MS)
    return answer.ok ? judged(answer.value.outcome) : answer
  }

  const judged = (bytes: Uint8Array): Result<LedgerOutcome> => {
    const code = codeOfOutcome(bytes)
    return code === 'OK' ? ok(decodeLedgerOutcome(bytes)) : ledgerRefusal(code)
  }

  const post = async (
    partition: PartitionNumber,
    identity: CommandIdentity,
    instruction: Instruction,
  ): Promise<Result<{ transactionId: string }>> => {
    const outcome = await order(partition, identity, instruction)
    if (!outcome.ok) return outcome
    return ok({ transactionId: ledgerTransactionId(partition, outcome.value.transactionNumber ?? 0n) })
  }

  /**
   * Books a correction. Its id comes from what it corrects, so that of two requests at once only one books it; after a refusal
   * the next request has the next id. The request's own id is the hash: its repeats get its outcome.
   */
  const postCorrection = async (
    partition: PartitionNumber,
    identity: CommandIdentity,
    corrected: { readonly transactionId: string; readonly reference: Uint8Array },
    legs: readonly Leg[],
  ): Promise<Result<{ transactionId: string }>> => {
    const { transactionId, reference } = corrected
    for (let attempt = 0; attempt < CORRECTION_ATTEMPTS_MAX; attempt++) {
      const own = { id: derivedId(reference, `correction:${attempt}`), requestHash: identity.id, keyed: true }
      const earlier = await rememberedCommand(views, own.id)
      if (earlier !== null && earlier.view.requestHash !== hexOf(identity.id)) {
        if (earlier.view.code !== refusalNumbers.OK) continue
        const by = ledgerTransactionId(partition, decodeLedgerOutcome(earlier.outcome).transactionNumber ?? 0n)
        return refuse('IDEMPOTENCY_CONFLICT', `'${transactionId}' was corrected before, by '${by}'; correct that one`)
      }
      const transactionType = transactionTypes.CORRECTION
      const posted = await post(partition, own, { kind: 'CORRECTION', transactionType, legs, reference })
      // Another request is faster just now; what becomes of it shows when this one is repeated.
      const isOvertaken = !posted.ok && posted.refusal.code === 'IDEMPOTENCY_CONFLICT'
      return isOvertaken ? ledgerRefusal('UNAVAILABLE') : posted
    }
    return refuse('CAPACITY_EXCEEDED', `'${transactionId}' was corrected in vain too often; credit or debit instead`)
  }

  const capital = (currency: string, amount: bigint): Leg => ({
    ...systemAccountKey('bank', currency, CAPITAL),
    amount,
  })

  const fundHouse = async (
    identity: CommandIdentity,
    asset: string,
    amount: bigint,
    currency: string,
  ): Promise<Result<{ transactionIds: readonly string[] }>> => {
    const count = BigInt(topology.ledgerPartitions)
    const transactionIds: string[] = []
    for (let index = 0; index < topology.ledgerPartitions; index++) {
      // Equal parts rounded down; the first partition gets the remainder, so that the parts add up to the amount.
      const share = amount / count + (index === 0 ? amount % count : 0n)
      if (share === 0n) continue
      const part = { ...identity, id: derivedId(identity.id, `house:${index}`) }
      const posted = await post(partitionNumber('ledger', index), part, {
        kind: 'POST',
        transactionType: transactionTypes.FUND_HOUSE,
        legs: [capital(currency, -share), { ...systemAccountKey('house', currency, asset), amount: share }],
      })
      if (!posted.ok) return posted
      transactionIds.push(posted.value.transactionId)
    }
    return ok({ transactionIds })
  }

  return refusingPortFailures<LedgerClient>({
    openAccount: async (identity, owner, currency, grant) => {
      const instruction = openAccountInstruction(
        customerAccountKey(owner, currency),
        grant,
        transactionTypes.OPEN_ACCOUNT,
      )
      const outcome = await order(ledgerPartitionOf(topology, owner), identity, instruction)
      return outcome.ok ? ok({ existed: outcome.value.existed }) : outcome
    },
    balances: async (owner) => {
      const answer = await partitions.read(ledgerPartitionOf(topology, owner), balancesQuestion(owner), {
        deadlineMs: LEDGER_DEADLINE_MS,
      })
      if (!answer.ok) return answer
      const all: Balance[] = decodeBalances(answer.value.outcome)
        .filter((account) => account.kind === 'customer')
        .map(({ currency, balance, locked, version }) => ({ currency, balance, locked, version }))
      return all.length === 0 ? ledgerRefusal('ACCOUNT_NOT_FOUND') : ok(all)
    },
    adjust: (identity, owner, currency, amount, reference) =>
      post(ledgerPartitionOf(topology, owner), identity, {
        kind: 'POST',
        transactionType: amount > 0n ? transactionTypes.CREDIT : transactionTypes.DEBIT,
        legs: [{ ...customerAccountKey(owner, currency), amount }, capital(currency, -amount)],
        memo: new TextEncoder().encode(reference),
      }),
    fund: async (identity, target, asset, amount) => {
      const currency = asset.split('_')[1] ?? ''
      if (target === 'house') return fundHouse(identity, asset, amount, currency)
      const partition = partitionNumber('ledger', insurancePartitionOf(asset, topology.ledgerPartitions))
      const posted = await post(partition, identity, {
        kind: 'POST',
        transactionType: transactionTypes.FUND_INSURANCE,
        legs: [capital(currency, -amount), { ...systemAccountKey('insurance', currency, asset), amount }],
      })
      return posted.ok ? ok({ transactionIds: [posted.value.transactionId] }) : posted
    },
    correct: async (identity, transactionId) => {
      const entries = await views.find(ledgerEntryModel, {
        filter: { transaction: transactionId },
        sortBy: 'order',
        direction: 'ascending',
        limit: 100,
      })
      const first = entries[0]
      if (first === undefined)
        return refuse(
          'TRANSACTION_NOT_FOUND',
          `no transaction '${transactionId}'; read it from /api/v1/admin/transactions`,
        )
      const legs = entries.map((entry): Leg => ({
        owner: bytesOfHex(entry.owner),
        currency: entry.currency,
        kind: accountKindOfNumber(entry.accountKind),
        amount: -entry.amount,
      }))
      if (legs.some((leg) => leg.kind === 'clearing')) {
        return refuse(
          'VALIDATION_ERROR',
          `'${transactionId}' moves money between partitions; correct both of its sides with credit and debit`,
        )
      }
      const [partition = '0', number = '0'] = transactionId.split(':')
      const reference = correctedReference(Number(partition), BigInt(number))
      // The key is registered first, so that it can't become another request's.
      const registered = identity.keyed ? await order(Number(partition), identity, { kind: 'HOLD' }) : null
      if (registered !== null && !registered.ok) return registered
      return postCorrection(Number(partition), identity, { transactionId, reference }, legs)
    },
  })
}

/** 16 bytes that name a ledger transaction: partition u32, zero u32, number u64, little endian. */
export const correctedReference = (partition: PartitionNumber, number: bigint): Uint8Array => {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, partition, true)
  view.setBigUint64(8, number, true)
  return bytes
}
