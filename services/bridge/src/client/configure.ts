import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import { bridgePartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import type { BankSpec } from '@bourse/common/resources/bank.ts'
import { faultOfBankRules, type BankRules } from '../codec/bank-rules.ts'
import { encodeConfig } from '../codec/commands.ts'
import { decodeReply } from '../codec/reply.ts'

/** What the bridge needs of a bank's spec. */
export const bankRulesOf = (name: string, spec: BankSpec): BankRules => ({
  name,
  suspended: spec.state === 'Suspended',
  callbackUrl: spec.callback.url,
  callbackTimeoutMs: spec.callback.timeoutMs,
  callbackRetries: spec.callback.retries,
  quoteTtlMs: spec.quotes.ttlSeconds * 1_000,
  slippageBps: spec.quotes.slippageBps,
  dailyAmount: spec.limits.dailyAmount ?? 0n,
  dailyAmountPerCustomer: spec.limits.dailyAmountPerCustomer ?? 0n,
  limitCurrency: spec.limits.currency,
  pairs: spec.pairs.map(({ symbol, baseAsset, quoteAsset, spreadBps, minAmount, maxAmount, tickSize, lotSize }) => ({
    symbol,
    baseAsset,
    quoteAsset,
    spreadBps,
    minAmount,
    maxAmount,
    tickSize,
    lotSize,
  })),
})

/** Tells bridge partitions the rules of their banks. */
export interface BankConfigurator {
  /** Puts a bank's rules in order; they hold for every later command. The same rules again change nothing. */
  configure(name: string, spec: BankSpec): Promise<Result<void>>
}

const CONFIG_DEADLINE_MS = 10_000

/** Makes a configurator. */
export const createBankConfigurator = (deps: {
  readonly partitions: PartitionClient
  readonly topology: Topology
}): BankConfigurator => ({
  configure: async (name, spec) => {
    const rules = bankRulesOf(name, spec)
    const fault = faultOfBankRules(rules)
    if (fault !== null) return refuse('VALIDATION_ERROR', fault)
    const answer = await deps.partitions.command(
      bridgePartitionOf(deps.topology, name),
      encodeConfig(rules),
      CONFIG_DEADLINE_MS,
    )
    if (!answer.ok) return answer
    const reply = decodeReply(answer.value.outcome)
    return reply.code === 'OK' ? ok(undefined) : refuse(reply.code, reply.message)
  },
})
