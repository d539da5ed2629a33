import { useEffect, useState, type ReactNode } from 'react'
import { createBourseClient } from '@bourse/client/client.ts'
import { randomKey } from '@bourse/client/environment.ts'
import { createBourseStream } from '@bourse/client/stream.ts'
import { createBrowserClock } from '../session/clock.ts'
import { createDesk, type Desk } from '../session/desk.ts'
import { DeskContext } from '../session/hooks.ts'
import { createBrowserTabs } from '../session/other-tabs.ts'
import { TraderContext } from '../trader/hooks.ts'
import { createTrader, type Trader } from '../trader/trader.ts'

const CLOSED_PAGE = 50

interface Made {
  readonly desk: Desk
  readonly trader: Trader
}

/** The desk of this page, over its own server. */
const make = (): Made => {
  const client = createBourseClient({ baseUrl: location.origin })
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const stream = createBourseStream({ url: `${scheme}://${location.host}/ws` })
  const clock = createBrowserClock()
  const desk = createDesk({ client, stream, clock, otherTabs: createBrowserTabs() })
  const trader = createTrader({
    desk,
    clock,
    makeKey: randomKey,
    readClosed: async (cursor) => {
      const query = { status: 'closed' as const, limit: CLOSED_PAGE, ...(cursor === null ? {} : { cursor }) }
      const { trades, nextCursor } = (await client.GET('/api/v1/trades', { params: { query } })).data
      return { trades: trades.flatMap((trade) => (trade.status === 'closed' ? [trade] : [])), nextCursor }
    },
    // Fetched when a ticket or an explanation first asks: the rest of the page does not wait for it.
    loadPreview: async () => {
      const [{ fetchTradingModule }, { createRiskPreview }] = await Promise.all([
        import('../maths/load.ts'),
        import('../maths/preview.ts'),
      ])
      return createRiskPreview(await fetchTradingModule())
    },
  })
  return { desk, trader }
}

/** Makes the desk once the page stands, and ends it with the page. */
export const DeskProvider = ({ children }: { readonly children: ReactNode }) => {
  const [made, setMade] = useState<Made | null>(null)
  useEffect(() => {
    const mine = make()
    setMade(mine)
    return () => {
      mine.trader.stop()
      mine.desk.stop()
    }
  }, [])
  if (made === null) return null
  return (
    <DeskContext value={made.desk}>
      <TraderContext value={made.trader}>{children}</TraderContext>
    </DeskContext>
  )
}
