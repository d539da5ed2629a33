import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import type { Effect, Machine } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { AMOUNT_MAX_UNITS } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { customerAccountKey, systemAccountKey, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, openAccountInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import type { Instruction } from '@bourse/risk-rules/ledger/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { replayId } from './requested-trade.ts'
import type { RequestedTrade } from './requested-trade.ts'

/** Accounts of a ledger besides the customers'. */
export const SYSTEM_ACCOUNTS_MAX = 16
/** The ledger of a replay: one partition, to which every slip comes back. */
export interface ReplayMoney {
  /** Locks margin and fee of an opening. */
  /** The open fee's rate that holds are made for, in units of 1e-8 bp. */
  readonly openBps: Units
  hold(id: Uint8Array, trade: RequestedTrade, now: bigint): OutcomeCode
  /** Carries out effects of trading, and what they cause, to the last. */
  settle(effects: readonly Effect[], now: bigint): void
  /** What each account was given, by its owner in hex. */
  readonly grants: ReadonlyMap<string, Units>
  /** Effects the ledger refused, and the first of them in words: none, unless something is wrong. */
  faults(): { readonly count: number; readonly first: string | null }
  readonly ledger: Machine
}

/** An owner as a map's key. */
export const ownerKey = (owner: Uint8Array): string => Buffer.from(owner).toString('hex')

/** What both holds of an opening lock. */
const lockedBy = ({ margin, leverage }: RequestedTrade, openBps: Units): Units =>
  margin + feeHoldOf(margin, leverage, openBps)

/** Enough for all trades of each account at once: no trade can cost more than what it locks. */
const grantsFor = (
  trades: readonly RequestedTrade[],
  openBps: Units,
): Map<string, { owner: Uint8Array; grant: Units }> => {
  const grants = new Map<string, { owner: Uint8Array; grant: Units }>()
  for (const trade of trades) {
    const key = ownerKey(trade.account)
    const grant = (grants.get(key)?.grant ?? 0n) + lockedBy(trade, openBps)
    grants.set(key, { owner: trade.account, grant: grant > AMOUNT_MAX_UNITS ? AMOUNT_MAX_UNITS : grant })
  }
  return grants
}

/**
 * Gives every account of the trades enough money and the insurance `insuranceAtFirst`.
 * @throws {RangeError} when the ledger does not take that
 */
export const createReplayMoney = (deps: {
  readonly ledger: Machine
  readonly spec: TradingPairSpec
  readonly trades: readonly RequestedTrade[]
  readonly insuranceAtFirst: Units
  readonly now: bigint
}): ReplayMoney => {
  const { ledger, spec, trades } = deps
  const { quoteAsset, symbol, fees } = spec
  let first: string | null = null
  let count = 0

  const apply = (
    command: Uint8Array,
    now: bigint,
  ): { readonly code: OutcomeCode; readonly effects: readonly Effect[] } => {
    const { outcomes, effects } = ledger.apply([command], now, ledger.behaviourVersion)
    return { code: codeOfNumber(decodeOutcomeHeader(outcomes[0]!).code), effects }
  }
  const prepare = (name: string, instruction: Instruction): void => {
    const { code } = apply(encodeLedgerCommand({ id: replayId(name) }, instruction), deps.now)
    if (code !== 'OK') throw new RangeError(`the ledger refused to prepare ${name}: ${code}`)
  }
  const settle = (effects: readonly Effect[], now: bigint): void => {
    const waiting = [...effects]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const applied = apply(next.bytes, now)
      waiting.push(...applied.effects)
      if (applied.code === 'OK') continue
      count += 1
      first ??= `${applied.code} at ${new Date(Number(now)).toISOString()}`
    }
  }

  const grants = grantsFor(trades, fees.openBps)
  for (const [key, { owner, grant }] of grants) {
    prepare(
      `account ${key}`,
      openAccountInstruction(customerAccountKey(owner, quoteAsset), grant, transactionTypes.OPEN_ACCOUNT),
    )
  }
  if (deps.insuranceAtFirst > 0n) {
    prepare('insurance', {
      kind: 'POST',
      transactionType: transactionTypes.FUND_INSURANCE,
      legs: [
        { ...systemAccountKey('house', quoteAsset, symbol), amount: -deps.insuranceAtFirst },
        { ...systemAccountKey('insurance', quoteAsset, symbol), amount: deps.insuranceAtFirst },
      ],
    })
  }
  return {
    hold: (id, trade, now) => {
      const customer = customerAccountKey(trade.account, quoteAsset)
      const amounts = [trade.margin, feeHoldOf(trade.margin, trade.leverage, fees.openBps)]
      const legs = amounts.map((amount) => ({ ...customer, amount }))
      return apply(encodeLedgerCommand({ id }, { kind: 'HOLD', legs }), now).code
    },
    settle,
    openBps: fees.openBps,
    grants: new Map([...grants].map(([key, { grant }]) => [key, grant])),
    faults: () => ({ count, first }),
    ledger,
  }
}
