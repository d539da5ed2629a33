import type { Logger } from 'pino'
import type { BankConfigurator } from '@bourse/bridge/client/configure.ts'
import { codeOfOutcome, type PartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { formatFault, type LoadedManifests, type Manifests } from '@bourse/common/resources/load.ts'
import { validateChange, type TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { specCommand } from '@bourse/trading/host/spec.ts'

/** How long a spec may take to be journaled by a partition, ms. */
export const SPEC_DEADLINE_MS = 10_000

/** A manifest that a partition did not take; nothing else of it was changed. */
export class SpecRefused extends Error {
  override readonly name = 'SpecRefused'
}

/** The manifests in force, and their way into the machines. */
export interface ResourceSet {
  pairs(): readonly TradingPair[]
  banks(): readonly Bank[]
  /** Puts every spec in order. @throws {SpecRefused} */
  applyAll(): Promise<void>
  /** Takes changed manifests: what may change is applied, what may not is refused aloud and stays as it was. */
  change(loaded: LoadedManifests): Promise<void>
}

const same = (a: unknown, b: unknown): boolean => {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
  return text(a) === text(b)
}

/** Makes the set. `withCallback` gives a bank the callback it has in this process. */
export const createResourceSet = (deps: {
  readonly manifests: Manifests
  readonly topology: Topology
  readonly partitions: PartitionClient
  readonly banks: BankConfigurator
  readonly withCallback: (bank: Bank) => Bank
  readonly logger: Logger
}): ResourceSet => {
  const pairs = new Map(deps.manifests.pairs.map((pair) => [pair.name, pair]))
  const banks = new Map(deps.manifests.banks.map((bank) => [bank.name, deps.withCallback(bank)]))

  /**
   * Specs whose way into a partition had no clear end: some partitions may have them, so that going back to the one before has
   * to be told too. Kinds have names of their own.
   */
  const unclear = new Set<string>()
  const settled = async (what: string, apply: () => Promise<void>): Promise<void> => {
    unclear.add(what)
    await apply()
    unclear.delete(what)
  }

  const tellPair = async (pair: TradingPair): Promise<void> => {
    const market = deps.topology.markets.get(pair.spec.symbol)
    if (market === undefined) throw new SpecRefused(`${pair.spec.symbol} has no partitions yet; restart to serve it`)
    for (let index = 0; index < market.partitions; index++) {
      const command = specCommand(pair.spec, deps.topology, market, index)
      const answer = await deps.partitions.command(
        partitionNumber('trading', index, market.market),
        command,
        SPEC_DEADLINE_MS,
      )
      const code = answer.ok ? codeOfOutcome(answer.value.outcome) : answer.refusal.code
      if (code !== 'OK') throw new SpecRefused(`${pair.spec.symbol}: partition ${index} refused the spec (${code})`)
    }
  }
  const tellBank = async (bank: Bank): Promise<void> => {
    const applied = await deps.banks.configure(bank.name, bank.spec)
    if (!applied.ok) throw new SpecRefused(`bank ${bank.name}: ${applied.refusal.code}: ${applied.refusal.message}`)
  }

  const applyPair = (pair: TradingPair): Promise<void> => settled(`pair ${pair.name}`, () => tellPair(pair))
  const applyBank = (bank: Bank): Promise<void> => settled(`bank ${bank.name}`, () => tellBank(bank))

  const changePair = async (pair: TradingPair): Promise<void> => {
    const before = pairs.get(pair.name)
    if (before !== undefined && same(before, pair) && !unclear.has(`pair ${pair.name}`)) return
    const faults = before === undefined ? [] : validateChange(before, pair)
    if (faults.length > 0) {
      for (const fault of faults) deps.logger.error({ pair: pair.name, field: fault.field }, fault.message)
      return
    }
    await applyPair(pair)
    pairs.set(pair.name, pair)
    deps.logger.info({ pair: pair.name }, 'the changed spec is in force')
  }

  /** A pair whose manifest is gone opens no more trades; those it has end by their owners or their triggers. */
  const retirePair = async (pair: TradingPair): Promise<void> => {
    if (pair.spec.state !== 'Open') return
    const retired: TradingPair = { ...pair, spec: { ...pair.spec, state: 'ReduceOnly' } }
    await applyPair(retired)
    pairs.set(pair.name, retired)
    deps.logger.warn({ pair: pair.name }, 'its manifest is gone: the pair is ReduceOnly from now on')
  }

  return {
    pairs: () => [...pairs.values()],
    banks: () => [...banks.values()],
    applyAll: async () => {
      await Promise.all([...[...pairs.values()].map(applyPair), ...[...banks.values()].map(applyBank)])
    },
    change: async (loaded) => {
      if (!loaded.ok) {
        for (const fault of loaded.faults) deps.logger.error(formatFault(fault))
        return
      }
      for (const pair of loaded.manifests.pairs) await changePair(pair)
      const named = new Set(loaded.manifests.pairs.map((pair) => pair.name))
      for (const pair of [...pairs.values()]) if (!named.has(pair.name)) await retirePair(pair)
      for (const bank of loaded.manifests.banks.map(deps.withCallback)) {
        if (!banks.has(bank.name)) {
          deps.logger.warn({ bank: bank.name }, 'a new bank is served after the next start, when its key is made')
          continue
        }
        if (same(banks.get(bank.name), bank) && !unclear.has(`bank ${bank.name}`)) continue
        await applyBank(bank)
        banks.set(bank.name, bank)
        deps.logger.info({ bank: bank.name }, 'the changed spec is in force')
      }
    },
  }
}
