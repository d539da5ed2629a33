import type { BridgeClient } from '@bourse/bridge/client/types.ts'
import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import { commandIdentity, requestHashOf } from '@bourse/common/platform/client-identity.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { BankKeyRecord } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { momentOf } from '../engine/trade-fields.ts'
import { answer, route, type Handler, type Route } from '../http/route.ts'
import { deskSpecs } from './desk-specs.ts'
import { bankErrorOf } from './errors.ts'
import type { BankKeys } from './keys.ts'

/** Parts of the desk's reads. */
export interface DeskOptions {
  readonly bridge: BridgeClient
  readonly keys: Pick<BankKeys, 'keyOf'>
  readonly clock: Clock
  readonly ids: Ids
}

const DAY_MS = 86_400_000
const FIAT_DECIMALS = 2

const fiat = (units: Units | null): string | null => (units === null ? null : formatAmount(units, FIAT_DECIMALS))

const termsOf = ({ name, spec }: Bank) => ({
  name,
  displayName: spec.displayName,
  state: spec.state,
  pairs: spec.pairs.map((pair) => ({
    symbol: pair.symbol,
    baseAsset: pair.baseAsset,
    quoteAsset: pair.quoteAsset,
    spreadBps: formatAmount(pair.spreadBps),
    minAmount: formatAmount(pair.minAmount),
    maxAmount: formatAmount(pair.maxAmount),
    tickSize: formatAmount(pair.tickSize),
    lotSize: formatAmount(pair.lotSize),
  })),
  quotes: { ttlSeconds: spec.quotes.ttlSeconds, slippageBps: formatAmount(spec.quotes.slippageBps) },
})

/** A key that was rotated away between its check and now, or of a time that nobody noted, has no date. */
const keyFields = (key: BankKeyRecord | null, rotateAfterDays: number, nowMs: number) => {
  const createdAtMs = key === null || key.createdAtMs <= 0 ? null : key.createdAtMs
  const expiresAtMs = key?.expiresAtMs ?? null
  return {
    createdAt: createdAtMs === null ? null : momentOf(createdAtMs),
    expiresAt: expiresAtMs === null ? null : momentOf(expiresAtMs),
    ageDays: createdAtMs === null ? null : Math.max(0, Math.floor((nowMs - createdAtMs) / DAY_MS)),
    rotateAfterDays,
  }
}

/** A sequence of the body, which the schema has found to be whole. */
const sequenceIn = (fields: Readonly<Record<string, unknown>>, name: string): number | null =>
  typeof fields[name] === 'number' ? fields[name] : null

const redelivery =
  ({ bridge, ids }: DeskOptions): Handler<'bank'> =>
  async (request, bank) => {
    const fields = (request.body?.value ?? {}) as Readonly<Record<string, unknown>>
    const [from, to] = [sequenceIn(fields, 'from') ?? 0, sequenceIn(fields, 'to')]
    const key = (request.headers['x-idempotency-key'] ?? '').toLowerCase()
    const hash = requestHashOf(request.method, deskSpecs.redeliver.path, {
      from: String(from),
      to: to === null ? null : String(to),
    })
    const identity = commandIdentity(ids, `bank:${bank.name}:`, key, hash)
    const taken = await bridge.redeliver({ identity, bank: bank.name, from, to })
    if (!taken.ok) throw bankErrorOf(taken.refusal)
    return { status: 202, body: { success: true, data: taken.value } }
  }

/** What a bank's operations staff reads: its terms, limits, key and customers; and what it asks for: events once more. */
export const deskRoutes = (options: DeskOptions): readonly Route[] => [
  route({
    spec: deskSpecs.self,
    handle: async (request, bank) => {
      const use = await options.bridge.dayUse(bank.name)
      if (!use.ok) throw bankErrorOf(use.refusal)
      const { limits, apiKeys } = bank.spec
      const nowMs = options.clock.nowMs()
      return answer({
        ...termsOf(bank),
        limits: {
          requestsPerSecond: limits.requestsPerSecond,
          dailyAmount: fiat(limits.dailyAmount),
          dailyAmountPerCustomer: fiat(limits.dailyAmountPerCustomer),
          currency: limits.currency,
          usedToday: use.value.used,
          day: use.value.day,
        },
        key: keyFields(await options.keys.keyOf(request.header('x-api-key')), apiKeys.rotateAfterDays, nowMs),
        asOf: momentOf(nowMs),
      })
    },
  }),
  route({
    spec: deskSpecs.customers,
    handle: async ({ query }, bank) => {
      const cursor = typeof query['cursor'] === 'string' ? query['cursor'] : null
      const page = await options.bridge.customers(bank.name, { cursor, limit: Number(query['limit']) })
      if (!page.ok) throw bankErrorOf(page.refusal)
      return answer({
        customers: page.value.items.map(({ bankUserId, kycLevel, createdAtMs }) => ({
          bankUserId,
          kycLevel,
          createdAt: momentOf(createdAtMs),
        })),
        nextCursor: page.value.nextCursor,
        asOf: momentOf(page.value.asOfMs),
      })
    },
  }),
  route({ spec: deskSpecs.redeliver, handle: redelivery(options) }),
]
