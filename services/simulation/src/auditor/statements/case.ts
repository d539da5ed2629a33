import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { ledgerPartitionOf, tradingPartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import type { Call, Request } from '../../history/history.ts'
import type { Books } from '../books.ts'
import type { Complain } from '../findings.ts'
import type { BankLife } from '../model/bridge/book.ts'
import type { AppendTimes } from '../evidence/append-times.ts'
import type { EffectIndex } from '../evidence/effect-index.ts'

/** How clients become accounts and keys become ids: the identities of the edge. */
export interface Identities {
  /** Owner of a trader's account, in hex. */
  ownerOf(trader: number): string
  /** Id and hash in hex of a keyed request; null for one that takes no key. */
  identityOf(request: Request, key: string): { readonly id: string; readonly requestHash: string } | null
}

/** Everything that statements about clients are judged on. */
export interface Case {
  readonly topology: Topology
  readonly calls: readonly Call[]
  readonly books: Books
  readonly identities: Identities
  /** When records reached the disk; null when nobody watched. */
  readonly appended: AppendTimes | null
  readonly effects: EffectIndex
  /** Bank transactions of all bridge partitions, by id in hex, with their partition. */
  readonly bankLives: ReadonlyMap<string, { readonly life: BankLife; readonly partition: PartitionNumber }>
  readonly complain: Complain
}

/** The bank transactions of all bridge partitions, by id. */
export const bankLivesOf = ({ bridges }: Books): Case['bankLives'] =>
  new Map(
    [...bridges.values()].flatMap(({ partition, transactions }) =>
      [...transactions].map(([id, life]) => [id, { life, partition }] as const),
    ),
  )

/**
 * The part of a journal that a read may have seen: it includes what was on the disk before it was asked, and nothing later
 * than its answer.
 */
export const windowOf = (
  { appended }: Case,
  call: Call,
  partition: PartitionNumber,
  records: number,
): { readonly low: bigint; readonly high: bigint } => ({
  low: appended === null ? 0n : appended.headBefore(partition, call.calledAtMs),
  high:
    appended === null || call.answeredAtMs === null ? BigInt(records) : appended.headAt(partition, call.answeredAtMs),
})

/** Whether a record was on the disk when the call was answered; true when nobody watched. */
export const wasOnDisk = ({ appended }: Case, call: Call, partition: PartitionNumber, sequence: bigint): boolean => {
  const at = appended?.of(partition, sequence) ?? null
  return at === null || call.answeredAtMs === null || at <= call.answeredAtMs
}

/** A call in a few words, for messages. */
export const callText = ({ number, step, request, key }: Call): string =>
  `call ${number} (step ${step}, ${request.kind}${key === null ? '' : `, key ${key}`})`

/** The partitions that have to do with a trader: its ledger's, and one of each market. */
export const partitionsOfTrader = (
  { topology }: Case,
  owner: Uint8Array,
): { readonly ledger: PartitionNumber; readonly markets: readonly PartitionNumber[] } => ({
  ledger: ledgerPartitionOf(topology, owner),
  markets: [...topology.markets.values()].map((market) => tradingPartitionOf(market, owner)),
})
