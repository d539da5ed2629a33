import type { ConfirmChannel } from 'amqplib'
import type { Clock, Repeating } from '../../ports/clock.ts'

/** How often a consumer that gets nothing asks whether its queue knows it, ms. */
export const WATCH_INTERVAL_MS = 1_000

/** What a watch needs. */
export interface ConsumerWatchDeps {
  readonly clock: Clock
  readonly queueName: string
  /** The channel that consumes, null while there is none. */
  channel(): ConfirmChannel | null
  /** Messages that came so far: while they come nothing is asked. */
  arrived(): number
  /** The queue has no consumer. */
  onForgotten(): void
}

/**
 * Looks after a consumer. The server tells it of its queue's end, but not when the queue was declared again (by a sender) before
 * the end had reached the channel: the consumer is then known to nobody, and nothing says so.
 */
export const watchConsumer = (deps: ConsumerWatchDeps): Repeating => {
  let watched: ConfirmChannel | null = null
  let seen = 0
  let isAsking = false

  const ask = async (channel: ConfirmChannel): Promise<void> => {
    isAsking = true
    try {
      const { consumerCount } = await channel.checkQueue(deps.queueName)
      if (consumerCount === 0 && deps.channel() === channel) deps.onForgotten()
    } catch {
      // A missing queue ends the channel, as a lost connection does: it is opened again by whoever keeps it.
    } finally {
      isAsking = false
    }
  }
  const look = (): void => {
    const channel = deps.channel()
    const arrived = deps.arrived()
    const isQuiet = channel === watched && arrived === seen
    watched = channel
    seen = arrived
    // Not awaited: whoever stops the watch must not wait for a dead connection's answer.
    if (channel !== null && isQuiet && !isAsking) void ask(channel)
  }
  return deps.clock.every(WATCH_INTERVAL_MS, look, (error) => {
    throw error // A look only asks: a failure is a bug.
  })
}
