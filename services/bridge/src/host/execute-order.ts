import type { Logger } from 'pino'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { LiquidityProvider, OrderResult } from '../adapters/liquidity-provider.ts'
import { encodeAnswer, type OrderCall } from '../codec/calls.ts'
import { transactionName } from '../codec/identifiers.ts'
import { ORDER_VALID_MS } from '../machine/saga.ts'

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

/** How long after it was sent an order can still be executed, by a clock that does not jump. */
const ON_ITS_WAY_MS_MAX = Number(ORDER_VALID_MS) + CLOCK_SKEW_MS

/**
 * Asks until there is a final answer; `absent` is one only when the order can't arrive any more: its validity has
 * passed on the wall clock, and as long has passed on the monotonic one since the last moment it may have been sent
 * (`sentAtMs`). A wall clock that was put forward meanwhile would otherwise end a trade that the exchange still
 * executes.
 */
const askUntilFinal = async (
  { liquidity, clock, logger }: OrderDeps,
  id: string,
  order: { readonly validUntilMs: number; readonly sentAtMs: number },
  signal: AbortSignal,
): Promise<Final> => {
  let saidAtMs = clock.monotonicMs()
  const untilCertainMs = (): number =>
    Math.max(
      order.validUntilMs + CLOCK_SKEW_MS + 1 - clock.nowMs(),
      order.sentAtMs + ON_ITS_WAY_MS_MAX + 1 - clock.monotonicMs(),
    )
  for (let pauseMs = ASK_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, ASK_PAUSE_MS_MAX)) {
    const isCertain = untilCertainMs() <= 0
    const result = await liquidity.ask(id, signal)
    if (result.kind === 'filled' || result.kind === 'rejected') return result
    if (result.kind === 'absent' && isCertain) return result
    if (clock.monotonicMs() - saidAtMs >= UNCLEAR_LOG_MS) {
      saidAtMs = clock.monotonicMs()
      logger.warn({ clientOrderId: id, result }, 'an order has no clear end yet')
    }
    const waitMs = untilCertainMs()
    await clock.sleep(waitMs > 0 ? Math.min(pauseMs, waitMs) : pauseMs, signal)
  }
}

/**
 * Executes an order at most once. It is sent at most once per run, and never after `validUntil`; after a restart it is
 * asked for first. An answer that is not clear is resolved by asking, not by sending again.
 */
const settle = async (deps: OrderDeps, call: OrderCall, maybeSent: boolean, signal: AbortSignal): Promise<Final> => {
  const clientOrderId = transactionName(call.transactionId)
  const validUntilMs = Number(call.validUntil)
  /** Whatever a former run has sent, it sent by this moment. */
  let sentAtMs = deps.clock.monotonicMs()
  if (maybeSent) {
    const known = await deps.liquidity.ask(clientOrderId, signal)
    if (known.kind === 'filled' || known.kind === 'rejected') return known
    if (known.kind === 'unknown') return askUntilFinal(deps, clientOrderId, { validUntilMs, sentAtMs }, signal)
  }
  if (deps.clock.nowMs() < validUntilMs) {
    const order = { clientOrderId, symbol: call.symbol, side: call.side, quantity: call.quantity, validUntilMs }
    sentAtMs = deps.clock.monotonicMs()
    const result = await deps.liquidity.place(order, signal)
    if (result.kind === 'filled' || result.kind === 'rejected') return result
  } else if (!maybeSent) {
    return { kind: 'absent' }
  }
  return askUntilFinal(deps, clientOrderId, { validUntilMs, sentAtMs }, signal)
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
