import type { ChannelModel, ConfirmChannel } from 'amqplib'
import type { Logger } from 'pino'
import type { Clock } from '../../ports/clock.ts'

/** Pause before a channel the server closed is opened again on a sound connection, ms; it doubles up to CHANNEL_PAUSE_MS_MAX. */
export const CHANNEL_PAUSE_MS = 20
/** Longest such pause, ms. */
export const CHANNEL_PAUSE_MS_MAX = 2_000
/** A channel that stood this long was sound: the next pause is short again, ms. */
const SOUND_AFTER_MS = 5_000
/** How long closing a channel may take before it is left to the connection's end, ms. */
const CLOSE_TIMEOUT_MS = 2_000

/** What somebody does with a kept channel. */
export interface ChannelUse {
  /** For logs. */
  readonly name: string
  /** Gets each fresh channel. When it rejects the channel is closed and opened again after a pause. */
  onOpen(channel: ConfirmChannel): Promise<void>
  /** The channel is gone, with all that was unconfirmed and unacknowledged on it; the error says why. */
  onLost(error: Error): void
}

/** A channel that is opened anew after every loss. */
export interface Keeper {
  /** The channel once `onOpen` is through with it; null while there is none. */
  channel(): ConfirmChannel | null
  /** Gives the channel up so that a fresh one takes its place: for one that does not answer any more. */
  renew(): void
  /** The connection stands: for the connection only. */
  connected(model: ChannelModel): void
  /** Closes it for good. Deliveries it has not acknowledged have been given back when this resolves. */
  stop(): Promise<void>
}

/** What a keeper needs. */
export interface KeeperDeps {
  readonly use: ChannelUse
  readonly clock: Clock
  readonly logger: Logger
  onLost(): void
  onStopped(): void
}

/** Makes a keeper; it opens its channel when it is told of a connection. */
export const createKeeper = (deps: KeeperDeps): Keeper => {
  const { use, clock } = deps
  const quit = new AbortController()
  let model: ChannelModel | null = null
  let ready: ConfirmChannel | null = null
  let opened: ConfirmChannel | null = null
  let pauseMs = CHANNEL_PAUSE_MS
  let openedAtMs = 0
  let opening: Promise<void> = Promise.resolve()

  const lose = (channel: ConfirmChannel, on: ChannelModel, error: Error): void => {
    if (opened !== channel) return
    opened = null
    ready = null
    use.onLost(error)
    if (quit.signal.aborted) return
    deps.onLost()
    if (clock.monotonicMs() - openedAtMs >= SOUND_AFTER_MS) pauseMs = CHANNEL_PAUSE_MS
    opening = openAgain(on)
  }

  const open = async (on: ChannelModel): Promise<void> => {
    const channel = await on.createConfirmChannel()
    if (quit.signal.aborted || model !== on) return
    let failure: Error = new Error('the connection was lost')
    opened = channel
    openedAtMs = clock.monotonicMs()
    channel.on('error', (error) => (failure = error))
    // Before the driver fails what was unconfirmed: whoever hears of that must not find the dead channel.
    channel.prependListener('close', () => lose(channel, on, failure))
    try {
      await use.onOpen(channel)
    } catch (error) {
      if (opened !== channel) return // It was lost meanwhile, and is being opened again.
      const cause = error instanceof Error ? error : new Error(String(error))
      void channel.close().catch(() => undefined)
      lose(channel, on, cause)
      return
    }
    if (opened === channel) ready = channel
  }

  const tryOpen = async (on: ChannelModel): Promise<void> => {
    try {
      await open(on)
    } catch (error) {
      // The connection died underneath: the next one opens the channel.
      deps.logger.debug({ err: error, channel: use.name }, 'a channel could not be opened')
    }
  }

  const openAgain = async (on: ChannelModel): Promise<void> => {
    const waitMs = pauseMs
    pauseMs = Math.min(pauseMs * 2, CHANNEL_PAUSE_MS_MAX)
    await clock.sleep(waitMs, quit.signal).catch(() => undefined)
    if (!quit.signal.aborted && model === on && opened === null) await tryOpen(on)
  }

  /** A blocked or dead connection answers nothing: its end ends the channel as well. */
  const within = async (task: Promise<void>): Promise<void> => {
    const waiting = new AbortController()
    const late = clock.sleep(CLOSE_TIMEOUT_MS, waiting.signal).catch(() => undefined)
    await Promise.race([task.catch(() => undefined), late])
    waiting.abort()
  }

  return {
    channel: () => ready,
    renew: () => {
      const channel = opened
      if (channel === null || model === null) return
      void channel.close().catch(() => undefined)
      lose(channel, model, new Error('the channel was given up'))
    },
    connected: (on) => {
      model = on
      pauseMs = CHANNEL_PAUSE_MS
      opening = tryOpen(on)
    },
    stop: async () => {
      if (quit.signal.aborted) return
      quit.abort()
      deps.onStopped()
      await within(opening)
      const channel = opened
      if (channel !== null) {
        await within(
          new Promise((resolve, reject) => {
            channel.once('close', resolve)
            channel.close().catch(reject)
          }),
        )
      }
      if (channel !== null && opened === channel) lose(channel, model!, new Error('the channel was closed'))
    },
  }
}
