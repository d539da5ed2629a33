import { closedTradeSchema, openTradeSchema } from '../engine/specs.ts'
import { decimal, list, moment, object, pageQuery, parameters } from '../http/schemas.ts'
import { routeSpec, type Schema } from '../http/route.ts'

const withStatus = (
  schema: Schema,
  status: 'open' | 'closed',
  title: string,
  more: Readonly<Record<string, Schema>>,
): Schema =>
  object({ ...(schema['properties'] as Record<string, Schema>), ...more, status: { const: status } }, [], title)

/** A trade of the list. */
export const listedTradeSchema: Schema = {
  title: 'ListedTrade',
  type: 'object',
  oneOf: [
    withStatus(openTradeSchema, 'open', 'ListedOpenTrade', { fees: { ...decimal, description: 'The open fee.' } }),
    withStatus(closedTradeSchema, 'closed', 'ListedClosedTrade', {}),
  ],
}

/** The caller's trades. */
export const tradeSpecs = {
  list: routeSpec<'session'>({
    operationId: 'listTrades',
    method: 'GET',
    path: '/api/v1/trades',
    tag: 'Reading',
    security: 'session',
    summary: "The caller's trades, newest first, in stable pages",
    description: 'The list may lag behind the newest outcome; `asOf` says how current it is. GET_BALANCE never lags.',
    query: parameters({
      status: { type: 'string', enum: ['open', 'closed'], description: 'Both when absent.' },
      ...pageQuery,
    }),
    answers: {
      200: {
        description: 'A page',
        schema: object(
          { trades: list(listedTradeSchema), nextCursor: { type: ['string', 'null'] }, asOf: moment },
          [],
          'TradePage',
        ),
      },
    },
    refusals: [],
  }),
} as const
