import type { World } from '../world/world.ts'

/** How long an order may be on its way by the contract, ms. */
const ON_ITS_WAY_MS_MAX = 5_000

/** When any process of the platform first sent something about an order. */
export interface OrderTimes {
  /** The same network, whose calls about orders are noted as they leave. */
  watching(network: typeof fetch): typeof fetch
  /** Whether the platform has known the order for longer than one may be on its way. */
  isOutlived(clientOrderId: string): boolean
}

const idIn = (input: Parameters<typeof fetch>[0], body: unknown): string | null => {
  const asked = new URL(input instanceof Request ? input.url : String(input)).searchParams.get('clientOrderId')
  if (asked !== null || typeof body !== 'string') return asked
  const { clientOrderId } = JSON.parse(body) as { readonly clientOrderId?: unknown }
  return typeof clientOrderId === 'string' ? clientOrderId : null
}

/**
 * Notes when orders are first spoken of. An order's `validUntil` is the decider's clock and five seconds. Where that clock is
 * ahead, the exchange takes the order for that much longer, and no owner of a right clock can know: that is beyond the skew the
 * contract allows, and nothing the platform could conclude would be sound. So such an order is lost on its way where a right
 * clock would have ended it; clocks that are put forward while orders are under way are judged all the same.
 */
export const createOrderTimes = (world: World): OrderTimes => {
  const firstAtMs = new Map<string, number>()
  return {
    watching: (network) => (input, init) => {
      const id = idIn(input, init?.body)
      if (id !== null && !firstAtMs.has(id)) firstAtMs.set(id, world.nowMs())
      return network(input, init)
    },
    isOutlived: (clientOrderId) => world.nowMs() - (firstAtMs.get(clientOrderId) ?? world.nowMs()) > ON_ITS_WAY_MS_MAX,
  }
}
