import { WebSocket } from 'ws'
import { until } from './calls.ts'

/** An event of the channel `trades`. */
export interface TradeEvent {
  readonly channel: string
  readonly sequence: number
  readonly type: string
  readonly data: { readonly tradeId: string }
}

/** Connects to the platform's stream and collects the events of `trades` that come after `after`. */
export const readTrades = async (url: string, cookie: string, after: number) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { cookie } })
  const events: TradeEvent[] = []
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  // A platform that is killed cuts the connection: that is what the test wants.
  socket.on('error', () => undefined)
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as TradeEvent
    if (message.channel === 'trades') events.push(message)
  })
  socket.send(JSON.stringify({ op: 'subscribe', channels: ['trades'], after: { trades: after } }))
  return {
    events,
    /** Waits for as many events. */
    until: (count: number) =>
      until(
        async () => events,
        ({ length }) => length >= count,
      ),
    close: async (): Promise<void> => {
      socket.close()
      await closed
    },
  }
}
