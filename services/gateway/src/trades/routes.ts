import type { Views } from '@bourse/common/ports/views.ts'
import { tradeModel } from '@bourse/common/views/models.ts'
import { momentOf } from '../engine/trade-fields.ts'
import { cutPage, decodeCursor } from '../http/cursor.ts'
import { accountKeyOf } from '../http/identity.ts'
import { answer, route, type Route } from '../http/route.ts'
import type { PlatformInspector } from '../platform-inspector.ts'
import { listedTradeFields } from './fields.ts'
import { tradeSpecs } from './specs.ts'

/** `GET /api/v1/trades`, from the trades view. */
export const tradeRoutes = ({
  views,
  platform,
}: {
  readonly views: Views
  readonly platform: PlatformInspector
}): readonly Route[] => [
  route({
    spec: tradeSpecs.list,
    handle: async ({ query }, session) => {
      const account = accountKeyOf(session.userId)
      const status = query['status']
      const limit = Number(query['limit'])
      const scope = `trades:${account}:${typeof status === 'string' ? status : 'all'}`
      const cursor = query['cursor']
      const after = typeof cursor === 'string' ? { after: decodeCursor(scope, cursor) } : {}
      // Read before the page: what the page misses is younger.
      const asOfMs = platform.viewsAsOfMs()
      const found = await views.find(tradeModel, {
        filter: typeof status === 'string' ? { account, status } : { account },
        sortBy: 'order',
        direction: 'descending',
        limit: limit + 1,
        ...after,
      })
      const { items, nextCursor } = cutPage(found, limit, scope, (trade) => ({ sortValue: trade.order, id: trade._id }))
      return answer({ trades: items.map(listedTradeFields), nextCursor, asOf: momentOf(asOfMs) })
    },
  }),
]
