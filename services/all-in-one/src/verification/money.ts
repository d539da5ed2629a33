import { holdOf } from '@bourse/bridge/codec/ledger.ts'
import { encodeQuestion } from '@bourse/bridge/codec/questions.ts'
import { decodeReply } from '@bourse/bridge/codec/reply.ts'
import { isTrade } from '@bourse/bridge/codec/transaction.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { partitionName, partitionParts } from '@bourse/common/kernel/partition.ts'
import type { PartitionState } from '@bourse/common/kernel/partition-state.ts'
import type { EffectInFlight, VerificationFault } from '@bourse/common/kernel/verification.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { accountKinds, type AccountKind } from '@bourse/risk-rules/ledger/accounts.ts'
import {
  decodeInstruction,
  ledgerKinds,
  type DecodedInstruction,
  type HoldId,
} from '@bourse/risk-rules/ledger/codec.ts'
import {
  decodeHolds,
  decodeSums,
  holdsQuestion,
  PAGE_LIMIT_MAX,
  sumsQuestion,
  type OpenHold,
} from '@bourse/risk-rules/ledger/queries.ts'
import { decodeOpenIdsAnswer, encodeOpenIdsQuery, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'

/** What the money of all partitions comes to. Amounts are decimal strings. */
export interface MoneyReport {
  /** Sum over all accounts, by currency: each must be 0. */
  readonly sums: Readonly<Record<string, string>>
  /** Clearing accounts plus what effects in flight will still book there, by currency: each must be 0. */
  readonly clearing: Readonly<Record<string, string>>
  readonly openTrades: number
  readonly holds: number
  readonly effectsInFlight: number
  readonly faults: readonly VerificationFault[]
}

const instructionKinds: ReadonlySet<number> = new Set(Object.values(ledgerKinds))
const neverBelowZero: ReadonlySet<AccountKind> = new Set(
  (Object.keys(accountKinds) as AccountKind[]).filter((kind) => !accountKinds[kind].mayGoBelowZero),
)

const holdKey = ({ id, index }: HoldId): string => `${hexOf(id)}:${index}`
const fault = (message: string, partition = 'all'): VerificationFault => ({
  partition,
  sequence: null,
  what: 'money',
  message,
})

const add = (totals: Map<string, bigint>, key: string, amount: bigint): void => {
  totals.set(key, (totals.get(key) ?? 0n) + amount)
}

/** What an instruction and the commands it sends on will book to clearing. */
const addClearing = (totals: Map<string, bigint>, instruction: DecodedInstruction): void => {
  if (instruction.kind === 'INSURANCE_REFUND') return
  for (const leg of instruction.legs)
    if (leg.kind === 'clearing' && instruction.kind !== 'HOLD') add(totals, leg.currency, leg.amount)
  const slip = instruction.slip?.command
  if (slip !== undefined && slip.length > 0 && instructionKinds.has(decodeHeader(slip).kind))
    addClearing(totals, decodeInstruction(slip))
}

const allHolds = (state: PartitionState): OpenHold[] => {
  const holds: OpenHold[] = []
  for (let after = 0; ; after = holds.at(-1)!.slot) {
    const page = decodeHolds(state.machine.query(holdsQuestion(after, PAGE_LIMIT_MAX)).bytes)
    holds.push(...page)
    if (page.length < PAGE_LIMIT_MAX) return holds
  }
}

const allMargins = (
  state: PartitionState,
): { key: string; margin: bigint; ledgerPartition: number; tradeNumber: bigint }[] => {
  const margins: { key: string; margin: bigint; ledgerPartition: number; tradeNumber: bigint }[] = []
  for (let cursor = 0n; ;) {
    const page = decodeOpenIdsAnswer(state.machine.query(encodeOpenIdsQuery(cursor)).bytes)
    for (const { openId, margin, ledgerPartition, tradeNumber } of page.items) {
      margins.push({ key: holdKey({ id: openId, index: 0 }), margin, ledgerPartition, tradeNumber })
    }
    if (!page.more) return margins
    cursor = page.cursor
  }
}

/** Holds that something in flight will settle or release, by key. */
const holdsInFlight = (states: readonly PartitionState[], effects: readonly EffectInFlight[]): Set<string> => {
  const keys = new Set<string>()
  for (const effect of effects) {
    const { machine } = partitionParts(effect.receiver)
    const header = decodeHeader(effect.bytes)
    if (machine === 'trading' && header.kind === tradingKinds.open) {
      keys.add(holdKey({ id: header.id, index: 0 })).add(holdKey({ id: header.id, index: 1 }))
    }
    if (machine === 'ledger' && instructionKinds.has(header.kind)) {
      for (const hold of decodeInstruction(effect.bytes).holds) keys.add(holdKey(hold))
    }
  }
  for (const state of states.filter(({ partition }) => partitionParts(partition).machine === 'bridge')) {
    const { transactions } = decodeReply(state.machine.query(encodeQuestion({ kind: 'inFlight' })).bytes)
    for (const transaction of transactions) if (isTrade(transaction)) keys.add(holdKey(holdOf(transaction)))
  }
  return keys
}

const checkHolds = (
  states: readonly PartitionState[],
  effects: readonly EffectInFlight[],
): { trades: number; holds: number; faults: VerificationFault[] } => {
  const faults: VerificationFault[] = []
  const moving = holdsInFlight(states, effects)
  const margins = new Map<string, { margin: bigint; ledgerPartition: number; from: string }>()
  for (const state of states.filter(({ partition }) => partitionParts(partition).machine === 'trading')) {
    for (const { key, ...rest } of allMargins(state))
      margins.set(key, { ...rest, from: `${partitionName(state.partition)} trade ${rest.tradeNumber}` })
  }
  const trades = margins.size
  let holds = 0
  for (const state of states.filter(({ partition }) => partitionParts(partition).machine === 'ledger')) {
    for (const hold of allHolds(state)) {
      holds += 1
      const key = holdKey(hold)
      const margin = margins.get(key)
      const name = partitionName(state.partition)
      if (margin === undefined) {
        if (!moving.has(key))
          faults.push(fault(`hold ${key} of ${formatAmount(hold.amount)} belongs to nothing open or in flight`, name))
        continue
      }
      margins.delete(key)
      if (margin.margin !== hold.amount || margin.ledgerPartition !== state.partition) {
        faults.push(
          fault(
            `hold ${key} is ${formatAmount(hold.amount)}, the margin of ${margin.from} ${formatAmount(margin.margin)}`,
            name,
          ),
        )
      }
    }
  }
  for (const [key, margin] of margins)
    faults.push(fault(`${margin.from} has no hold ${key} of its margin ${formatAmount(margin.margin)}`))
  return { trades, holds, faults }
}

const texts = (totals: ReadonlyMap<string, bigint>): Record<string, string> =>
  Object.fromEntries([...totals].sort().map(([currency, amount]) => [currency, formatAmount(amount)]))

/**
 * Checks the money of a whole platform, all partitions replayed: zero-sum per currency, clearing at zero up to effects
 * in flight, no
 * account below zero that may not be, and every hold the margin of an open trade or part of something in flight.
 */
export const checkMoney = (states: readonly PartitionState[], effects: readonly EffectInFlight[]): MoneyReport => {
  const sums = new Map<string, bigint>()
  const clearing = new Map<string, bigint>()
  const faults: VerificationFault[] = []
  for (const state of states.filter(({ partition }) => partitionParts(partition).machine === 'ledger')) {
    const own = new Map<string, bigint>()
    for (const sum of decodeSums(state.machine.query(sumsQuestion()).bytes)) {
      add(sums, sum.currency, sum.balance)
      add(own, sum.currency, sum.balance)
      if (sum.kind === 'clearing') add(clearing, sum.currency, sum.balance)
      if (neverBelowZero.has(sum.kind) && sum.balance < sum.locked) {
        faults.push(
          fault(
            `${sum.kind} accounts have ${formatAmount(sum.balance)} ${sum.currency}, locked ${formatAmount(sum.locked)}`,
            partitionName(state.partition),
          ),
        )
      }
    }
    for (const [currency, amount] of own) {
      if (amount !== 0n)
        faults.push(
          fault(`its accounts in ${currency} add up to ${formatAmount(amount)}, not 0`, partitionName(state.partition)),
        )
    }
  }
  for (const effect of effects) {
    if (partitionParts(effect.receiver).machine !== 'ledger' || !instructionKinds.has(decodeHeader(effect.bytes).kind))
      continue
    addClearing(clearing, decodeInstruction(effect.bytes))
  }
  for (const [currency, amount] of clearing) {
    if (amount !== 0n) faults.push(fault(`clearing in ${currency} comes to ${formatAmount(amount)}, not 0`))
  }
  const holds = checkHolds(states, effects)
  return {
    sums: texts(sums),
    clearing: texts(clearing),
    openTrades: holds.trades,
    holds: holds.holds,
    effectsInFlight: effects.length,
    faults: [...faults, ...holds.faults],
  }
}
