import type { Logger } from 'pino'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { LiquidityProvider, OrderResult } from '../adapters/liquidity-provider.ts'
import { encodeAnswer, type OrderCall } from '../codec/calls.ts'
import { transactionName } from '../codec/identifiers.ts'

/** How far the exchange's clock may be behind ours: a 404 counts only when asked this long after `validUntil`. */
export const CLOCK_SKEW_MS = 500
/** First pause between two questions about an order; doubles up to ASK_PAUSE_MS_MAX. */
export const ASK_PAUSE_MS = 100
/** Longest such pause. */
export const ASK_PAUSE_MS_MAX = 2_000
/** How often an order without a clear end is said again, ms. */
export const UNCLEAR_LOG_MS = 30_000

/** What the execution of an order needs. */
export interface OrderDeps {
  readonly liquidity: LiquidityProvider
  readonly clock: Clock
  readonly logger: Logger
}

type Final = Extract<OrderResult, { readonly kind: 'filled' | 'rejected' | 'absent' }>

/** Asks until there is a final answer; `absent` is one only when the order can't arrive any more. */
const askUntilFinal = async (
  { liquidity, clock, logger }: OrderDeps,
  id: string,
  validUntilMs: number,
  signal: AbortSignal,
): Promise<Final> => {
  let saidAtMs = clock.monotonicMs()
  for (let pauseMs = ASK_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, ASK_PAUSE_MS_MAX)) {
    const askedAtMs = clock.nowMs()
    const result = await liquidity.ask(id, signal)
    if (result.kind === 'filled' || result.kind === 'rejected') return result
    const arrivesNoMoreMs = validUntilMs + CLOCK_SKEW_MS
    if (result.kind === 'absent' && askedAtMs > arrivesNoMoreMs) return result
    if (clock.monotonicMs() - saidAtMs >= UNCLEAR_LOG_MS) {
      saidAtMs = clock.monotonicMs()
      logger.warn({ clientOrderId: id, result }, 'an order has no clear end yet')
    }
    const untilCertainMs = arrivesNoMoreMs + 1 - clock.nowMs()
    await clock.sleep(untilCertainMs > 0 ? Math.min(pauseMs, untilCertainMs) : pauseMs, signal)
  }
}

/**
 * Executes an order at most once. It is sent at most once per run, and never after `validUntil`; after a restart it is
 * asked for first. An answer that is not clear is resolved by asking, not by sending again.
 */
const settle = async (deps: OrderDeps, call: OrderCall, maybeSent: boolean, signal: AbortSignal): Promise<Final> => {
  const clientOrderId = transactionName(call.transactionId)
  const validUntilMs = Number(call.validUntil)
  if (maybeSent) {
    const known = await deps.liquidity.ask(clientOrderId, signal)
    if (known.kind === 'filled' || known.kind === 'rejected') return known
    if (known.kind === 'unknown') return askUntilFinal(deps, clientOrderId, validUntilMs, signal)
  }
  if (deps.clock.nowMs() < validUntilMs) {
    const order = { clientOrderId, symbol: call.symbol, side: call.side, quantity: call.quantity, validUntilMs }
    const result = await deps.liquidity.place(order, signal)
    if (result.kind === 'filled' || result.kind === 'rejected') return result
  } else if (!maybeSent) {
    return { kind: 'absent' }
  }
  return askUntilFinal(deps, clientOrderId, validUntilMs, signal)
}

/** Executes an order call and gives its answer as a command. */
export const executeOrder = async (
  deps: OrderDeps,
  call: OrderCall,
  maybeSent: boolean,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  const result = await settle(deps, call, maybeSent, signal)
  const filled = result.kind === 'filled' ? result : { executedPrice: 0n, executedQuantity: 0n }
  return encodeAnswer({
    kind: 'order',
    transactionId: call.transactionId,
    result: result.kind,
    executedPrice: filled.executedPrice,
    executedQuantity: filled.executedQuantity,
  })
}
