import type { Ids } from '@bourse/common/ports/ids.ts'
import type { AnyAnswer, Request } from '../history/history.ts'
import type { Edge } from '../platform/exchange-platform.ts'
import { identityOf, ownerOfTrader, takesKey, type KeyedRequest } from './identity.ts'

/** How many events or transactions a page has. */
export const PAGE = 50

/** What the gateway does for GET_BALANCE: trades first, so that what trading has answered is in the ledger by then. */
const readBalances = async ({ trading, ledger }: Edge, owner: Uint8Array): Promise<AnyAnswer> => {
  const trades = await trading.openTrades(owner)
  return trades.ok ? ledger.balances(owner) : trades
}

const order = (edge: Edge, ids: Ids, request: KeyedRequest, key: string | null): Promise<AnyAnswer> => {
  const identity = identityOf(ids, request, key)
  switch (request.kind) {
    case 'open-account':
      return edge.ledger.openAccount(identity, ownerOfTrader(request.trader), request.currency, request.grant)
    case 'open-trade': {
      const { kind: _kind, trader, ...fields } = request
      return edge.trading.createTrade({ identity, account: ownerOfTrader(trader), ...fields })
    }
    case 'update-trade': {
      const { kind: _kind, trader, ...fields } = request
      return edge.trading.updateTrade({ identity, account: ownerOfTrader(trader), ...fields })
    }
    case 'close-trade': {
      const { trader, tradeId, worstPrice } = request
      return edge.trading.closeTrade({ identity, account: ownerOfTrader(trader), tradeId, worstPrice })
    }
    case 'adjust': {
      const { trader, currency, amount, reference } = request
      return edge.ledger.adjust(identity, ownerOfTrader(trader), currency, amount, reference)
    }
    case 'fund':
      return edge.ledger.fund(identity, request.target, request.asset, request.amount)
    case 'correct':
      return edge.ledger.correct(identity, request.transactionId)
    case 'market-state':
      return edge.trading.setMarketState(identity, request.asset, request.state)
    case 'bank-trade': {
      const { kind: _kind, customer, ...fields } = request
      return edge.bridge.trade({ identity, idempotencyKey: key ?? '', bankUserId: customer, ...fields })
    }
    case 'bank-move': {
      const { kind: _kind, customer, ...fields } = request
      return edge.bridge.move({ identity, idempotencyKey: key ?? '', bankUserId: customer, ...fields })
    }
  }
}

/** Asks an edge what the gateway would ask it for this request. */
export const ask = (edge: Edge, ids: Ids, request: Request, key: string | null): Promise<AnyAnswer> => {
  if (takesKey(request)) return order(edge, ids, request, key)
  const { bridge, trading } = edge
  switch (request.kind) {
    case 'open-trades':
      return trading.openTrades(ownerOfTrader(request.trader))
    case 'balances':
      return readBalances(edge, ownerOfTrader(request.trader))
    case 'quote': {
      const { bank, customer, side, amount, currency } = request
      return bridge.quote({ bank, bankUserId: customer, side, amount, currency })
    }
    case 'cancel-quote':
      return bridge.cancelQuote(request.bank, request.quoteId)
    case 'bank-accounts':
      return bridge.accounts(request.bank, request.customer)
    case 'bank-transaction':
      return bridge.transaction(request.bank, request.transactionId)
    case 'bank-transaction-by-key':
      return bridge.transactionByKey(request.bank, request.idempotencyKey)
    case 'bank-transactions':
      return bridge.transactions(request.bank, {
        bankUserId: request.customer,
        cursor: request.cursor,
        limit: PAGE,
      })
    case 'bank-events':
      return bridge.events(request.bank, request.after, PAGE)
  }
}
