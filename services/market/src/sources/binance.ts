import type { BinanceSource } from '@bourse/common/resources/price-source.ts'
import { createBinanceBook } from './binance-book.ts'
import { readFrame } from './binance-frames.ts'
import { openSession } from './binance-session.ts'
import type { Session, SessionTimeouts } from './binance-session.ts'
import { runUntilStopped } from './source.ts'
import type { RunningSource, SourceDeps } from './source.ts'

/** The times of a connection, ms. */
export interface BinanceTimes extends SessionTimeouts {
  /** Age at which a connection is replaced: Binance cuts it at 24 hours. */
  readonly renewMs: number
  /** First pause before connecting again; doubles up to the second. */
  readonly pauseMs: number
  readonly pauseMsMax: number
}

/** The times that suit Binance. */
export const binanceTimes: BinanceTimes = {
  connectMs: 10_000,
  lifeMs: 30_000,
  messageMs: 60_000,
  renewMs: 23 * 3_600_000 + 45 * 60_000,
  pauseMs: 500,
  pauseMsMax: 30_000,
}

/** The combined stream of a symbol's best prices and trades. */
export const streamUrl = ({ url, symbol }: Pick<BinanceSource, 'url' | 'symbol'>): string => {
  const name = symbol.toLowerCase()
  return `${url.replace(/\/+$/, '')}/stream?streams=${name}@bookTicker/${name}@trade`
}

type Ending = 'renew' | 'lost' | 'silent' | 'stopped'

/**
 * Follows a symbol on Binance for as long as it is let: a lost, silent or refused connection is made again
 * after a pause that doubles and is scattered by chance (half of it fixed, half random), so that many clients
 * do not come back at once; before the 24-hour cut a second connection is opened, and the first is closed only
 * when the second gives messages, so that nothing is missed.
 */
export const startBinance = (
  spec: BinanceSource,
  deps: SourceDeps,
  times: BinanceTimes = binanceTimes,
): RunningSource =>
  runUntilStopped(deps, async (signal) => {
    const { clock, random, logger, onTick, onFault } = deps
    const book = createBinanceBook()
    const url = streamUrl(spec)
    let failures = 0
    const onMessage = (text: string): void => {
      const { tick, fault } = book.apply(readFrame(text, spec.symbol), clock.nowMs())
      if (fault !== undefined) onFault(fault)
      if (tick !== undefined) onTick(tick)
    }
    const connect = (): Session => openSession(url, times, { clock, onMessage })
    const connectAfterPause = async (): Promise<Session> => {
      book.forgetQuote()
      const pauseMs = Math.min(times.pauseMs * 2 ** Math.min(failures, 16), times.pauseMsMax)
      failures += 1
      await clock.sleep(Math.ceil(pauseMs / 2) + random.below(Math.floor(pauseMs / 2) + 1), signal)
      return connect()
    }
    const replace = async (old: Session): Promise<Session> => {
      const next = connect()
      const isLive = await Promise.race([next.live, aborted(signal)])
      await old.stop()
      if (isLive) return next
      await next.stop()
      return signal.aborted ? next : connectAfterPause()
    }

    let session = connect()
    while (!signal.aborted) {
      const watched = session.live.then((isLive) => {
        if (isLive) failures = 0
      })
      const ending = await endingOf(session, times.renewMs, deps, signal)
      if (ending === 'stopped') break
      if (ending === 'renew') {
        session = await replace(session)
        continue
      }
      await watched
      onFault(ending === 'silent' ? 'silent' : 'disconnected')
      logger.warn({ url, ending, failures }, 'price stream ended; connecting again')
      session = await connectAfterPause()
    }
    await session.stop()
  })

const aborted = (signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve(false)
        },
        { once: true },
      )
  })

/** How a session's time with us ends: by itself, by its age, or because we stop. */
const endingOf = async (
  session: Session,
  renewMs: number,
  { clock }: SourceDeps,
  signal: AbortSignal,
): Promise<Ending> => {
  const over = new AbortController()
  const age = clock.sleep(renewMs, AbortSignal.any([over.signal, signal])).then(
    () => 'renew' as const,
    () => 'stopped' as const, // Aborted: the session ended before its time, or we stop.
  )
  const ending = await Promise.race([session.ended, age])
  over.abort(new Error('over'))
  await age
  return ending
}
