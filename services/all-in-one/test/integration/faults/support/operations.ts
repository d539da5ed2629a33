import { ledgerPartitionOf, tradingPartitionOf } from '@bourse/common/platform/topology.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { createSeededIds, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { customerAccountKey, systemAccountKey, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import {
  encodeLedgerCommand,
  openAccountInstruction,
  type Instruction,
  type Leg,
} from '@bourse/risk-rules/ledger/codec.ts'
import { directions, encodeClose, encodeOpen, encodeOutcomeOf } from '@bourse/risk-rules/trading/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { CURRENCY, market, specOf, topology } from './market.ts'

/** What a client can want. */
export type OperationKind = 'fund' | 'account' | 'deposit' | 'transfer' | 'open' | 'close'

/** One thing a client wants: said again and again with the same id until it is answered. */
export interface Operation {
  readonly kind: OperationKind
  /** 16 bytes. */
  readonly id: Uint8Array
  /** Where it is ordered. */
  readonly partition: PartitionNumber
  readonly command: Uint8Array
  /** Where its end is asked for, when the ledger only sends it on. */
  readonly follow: { readonly partition: PartitionNumber; readonly question: Uint8Array } | null
  /** What it adds to customers' balances when it succeeds, by owner in hex; trades are judged by the books instead. */
  readonly moves: readonly { readonly owner: string; readonly amount: bigint }[]
  /** Whose it is. */
  readonly owner: Uint8Array
}

const UNIT = 100_000_000n
const LEVERAGE = 2
const { fees } = specOf(5)

/** Makes the operations of one run. */
export const createOperations = (
  random: SeededRandom,
  counts: { readonly savers: number; readonly traders: number },
) => {
  const ids = createSeededIds(random)
  const newId = (): Uint8Array => ids.bytes16()
  const owners = (count: number): Uint8Array[] => Array.from({ length: count }, newId)
  /** Their balances are the sum of what was answered; they trade nothing. */
  const savers = owners(counts.savers)
  const traders = owners(counts.traders)
  const customer = (owner: Uint8Array, amount: bigint): Leg => ({ ...customerAccountKey(owner, CURRENCY), amount })
  const capital = (amount: bigint): Leg => ({ ...systemAccountKey('bank', CURRENCY, 'capital'), amount })
  const clearing = (amount: bigint): Leg => ({ ...systemAccountKey('clearing', CURRENCY), amount })

  const ordered = (
    kind: OperationKind,
    owner: Uint8Array,
    instruction: Instruction,
    moves: Operation['moves'] = [],
  ): Operation => {
    const id = newId()
    const command = encodeLedgerCommand({ id, requestHash: id }, instruction)
    return { kind, id, partition: ledgerPartitionOf(topology, owner), command, follow: null, moves, owner }
  }

  const account = (owner: Uint8Array, grant: bigint): Operation =>
    ordered(
      'account',
      owner,
      openAccountInstruction(customerAccountKey(owner, CURRENCY), grant, transactionTypes.OPEN_ACCOUNT),
      [{ owner: hexOf(owner), amount: grant }],
    )

  const deposit = (owner: Uint8Array): Operation => {
    const amount = BigInt(random.between(1, 1_000)) * UNIT
    return ordered(
      'deposit',
      owner,
      { kind: 'POST', transactionType: transactionTypes.DEPOSIT, legs: [customer(owner, amount), capital(-amount)] },
      [{ owner: hexOf(owner), amount }],
    )
  }

  const transfer = (from: Uint8Array, to: Uint8Array): Operation => {
    const amount = BigInt(random.between(1, 1_000_000_000))
    const target = ledgerPartitionOf(topology, to)
    const isLocal = target === ledgerPartitionOf(topology, from)
    const transactionType = transactionTypes.CLEARING
    const moves = [
      { owner: hexOf(from), amount: -amount },
      { owner: hexOf(to), amount },
    ]
    if (isLocal)
      return ordered(
        'transfer',
        from,
        { kind: 'POST', transactionType, legs: [customer(from, -amount), customer(to, amount)] },
        moves,
      )
    // The second half carries no id: nothing but the numbers of the effects keeps it from being booked twice.
    const legs = [clearing(-amount), customer(to, amount)]
    const command = encodeLedgerCommand({}, { kind: 'POST', transactionType, legs })
    const first: Instruction = {
      kind: 'POST',
      transactionType,
      legs: [customer(from, -amount), clearing(amount)],
      slip: { target, command },
    }
    return ordered('transfer', from, first, moves)
  }

  const throughLedger = (
    kind: 'open' | 'close',
    owner: Uint8Array,
    legs: readonly Leg[],
    slipOf: (header: { readonly id: Uint8Array; readonly requestHash: Uint8Array }) => Uint8Array,
  ): Operation => {
    const id = newId()
    const header = { id, requestHash: id }
    const target = tradingPartitionOf(market, owner)
    const slip = { target, command: slipOf(header) }
    return {
      kind,
      id,
      partition: ledgerPartitionOf(topology, owner),
      command: encodeLedgerCommand(header, { kind: 'HOLD', legs, slip }),
      follow: { partition: target, question: encodeOutcomeOf(id, id) },
      moves: [],
      owner,
    }
  }

  const open = (owner: Uint8Array): Operation => {
    const margin = BigInt(random.between(10, 100)) * UNIT
    const legs = [customer(owner, margin), customer(owner, feeHoldOf(margin, LEVERAGE, fees.openBps))]
    return throughLedger('open', owner, legs, (header) =>
      encodeOpen(
        {
          account: owner,
          ledgerPartition: ledgerPartitionOf(topology, owner),
          direction: random.chance(50) ? directions.LONG : directions.SHORT,
          leverage: LEVERAGE,
          margin,
          stopLoss: 0n,
          takeProfit: 0n,
          worstPrice: 0n,
          feedBid: 0n,
          feedAsk: 0n,
          quoteTime: 0n,
          openBps: fees.openBps,
        },
        header,
      ),
    )
  }

  const close = (owner: Uint8Array, tradeNumber: bigint): Operation =>
    throughLedger('close', owner, [], (header) =>
      encodeClose({ account: owner, tradeNumber, worstPrice: 0n, feedBid: 0n, feedAsk: 0n, quoteTime: 0n }, header),
    )

  /** Money of the house for the traders' gains, in every ledger partition. */
  const fund = (): Operation[] => {
    const amount = 10_000_000n * UNIT
    const first = new Map(traders.concat(savers).map((owner) => [ledgerPartitionOf(topology, owner), owner]))
    return [...first.values()].map((owner) =>
      ordered('fund', owner, {
        kind: 'POST',
        transactionType: transactionTypes.FUND_HOUSE,
        legs: [capital(-amount), { ...systemAccountKey('house', CURRENCY, market.symbol), amount }],
      }),
    )
  }

  return { savers, traders, account, deposit, transfer, open, close, fund }
}

/** The operations of one run. */
export type Operations = ReturnType<typeof createOperations>
