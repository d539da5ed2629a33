import { refuse, ok, type Result } from '@bourse/common/errors/codes.ts'
import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import { commandIdentity, requestHashOf, type HashedField } from '@bourse/common/platform/client-identity.ts'
import { ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { closedTradeJson, openTradeJson } from '@bourse/trading/codec/present.ts'
import type { GatewayDeps } from '../deps.ts'
import { invalid } from '../http/api-error.ts'
import type { BodyFields } from '../http/fields.ts'
import { tradedAsset } from '../market/assets.ts'
import { unrealizedPnlOf } from '../market/quotation.ts'
import type { CommandName } from './specs.ts'
import { valuedTradeFields } from './trade-fields.ts'

/** Who gives a command and how. */
export interface CommandCall {
  readonly userId: string
  readonly method: string
  readonly path: string
  readonly idempotencyKey: string | undefined
  readonly fields: BodyFields
}

/** What came of a command. `identity` is null for reads. */
export interface CommandResult {
  readonly result: Result<{ readonly data: unknown; readonly message: string }>
  readonly identity: CommandIdentity | null
}

/** The commands of the trader API. */
export type Commands = { readonly [Name in CommandName]: (call: CommandCall) => Promise<CommandResult> }

/** What commands need of the platform. */
export type CommandDeps = Pick<GatewayDeps, 'config' | 'trading' | 'ledger' | 'prices' | 'pairs' | 'ids'>

/** Trading keeps margins and prices in 64 bits; more than this is refused at the door, far above any limit of a market. */
export const TRADE_AMOUNT_MAX: Units = 9_000_000_000_000_000_000n

const bounded = (name: string, units: Units): Units => {
  if (units > TRADE_AMOUNT_MAX) {
    throw invalid(`${name} ${formatAmount(units)} is too large; use at most ${formatAmount(TRADE_AMOUNT_MAX)}`)
  }
  return units
}

const optionalPrice = (fields: BodyFields, name: string): Units | null => {
  const units = fields.optionalAmount(name)
  return units === null ? null : bounded(name, units)
}

const mapped = <From, To>(result: Result<From>, map: (value: From) => To): Result<To> =>
  result.ok ? ok(map(result.value)) : result

const identityOf = (
  deps: CommandDeps,
  call: CommandCall,
  hashed: Readonly<Record<string, HashedField>>,
): CommandIdentity =>
  commandIdentity(deps.ids, `user:${call.userId}:`, call.idempotencyKey, requestHashOf(call.method, call.path, hashed))

const createAccount =
  (deps: CommandDeps) =>
  async (call: CommandCall): Promise<CommandResult> => {
    const { profile, demoBalance, accountCurrency } = deps.config
    const identity = identityOf(deps, call, { command: 'CREATE_ACCOUNT' })
    const grant = profile === 'development' ? demoBalance : 0n
    const opened = await deps.ledger.openAccount(identity, ownerOfUuid(call.userId), accountCurrency, grant)
    const result = mapped(opened, ({ existed }) => ({
      data: { accountId: call.userId, asset: accountCurrency, openedBefore: existed },
      message: existed ? 'The account was open already' : 'Account opened',
    }))
    return { identity, result }
  }

const createTrade =
  (deps: CommandDeps) =>
  async (call: CommandCall): Promise<CommandResult> => {
    const { fields } = call
    const request = {
      asset: tradedAsset(deps.pairs(), fields.text('asset')),
      direction: fields.text('direction') === 'LONG' ? 'LONG' : 'SHORT',
      margin: bounded('margin', fields.amount('margin')),
      leverage: fields.count('leverage'),
      stopLossPrice: optionalPrice(fields, 'stopLossPrice'),
      takeProfitPrice: optionalPrice(fields, 'takeProfitPrice'),
      worstPrice: optionalPrice(fields, 'worstPrice'),
    } as const
    const identity = identityOf(deps, call, { command: 'CREATE_TRADE', ...request })
    const result = await deps.trading.createTrade({ identity, account: ownerOfUuid(call.userId), ...request })
    return { identity, result: mapped(result, (trade) => ({ data: openTradeJson(trade), message: 'Trade opened' })) }
  }

const closeTrade =
  (deps: CommandDeps) =>
  async (call: CommandCall): Promise<CommandResult> => {
    const request = { tradeId: call.fields.text('tradeId'), worstPrice: optionalPrice(call.fields, 'worstPrice') }
    const identity = identityOf(deps, call, { command: 'CLOSE_TRADE', ...request })
    const result = await deps.trading.closeTrade({ identity, account: ownerOfUuid(call.userId), ...request })
    return { identity, result: mapped(result, (trade) => ({ data: closedTradeJson(trade), message: 'Trade closed' })) }
  }

/** A price that is to change: undefined stays as it is, null is taken away. */
const changedPrice = (fields: BodyFields, name: string): Units | null | undefined => {
  const units = fields.changedAmount(name)
  return units === undefined || units === null ? units : bounded(name, units)
}

const updateTrade =
  (deps: CommandDeps) =>
  async (call: CommandCall): Promise<CommandResult> => {
    const tradeId = call.fields.text('tradeId')
    const stopLossPrice = changedPrice(call.fields, 'stopLossPrice')
    const takeProfitPrice = changedPrice(call.fields, 'takeProfitPrice')
    if (stopLossPrice === undefined && takeProfitPrice === undefined) {
      throw invalid('UPDATE_TRADE changes nothing; give stopLossPrice, takeProfitPrice or both (null takes one away)')
    }
    // Absent is another request than null: what is left as it is has no part in the hash.
    const identity = identityOf(deps, call, {
      command: 'UPDATE_TRADE',
      tradeId,
      ...(stopLossPrice === undefined ? {} : { stopLossPrice }),
      ...(takeProfitPrice === undefined ? {} : { takeProfitPrice }),
    })
    const account = ownerOfUuid(call.userId)
    const result = await deps.trading.updateTrade({ identity, account, tradeId, stopLossPrice, takeProfitPrice })
    return { identity, result: mapped(result, (trade) => ({ data: openTradeJson(trade), message: 'Trade updated' })) }
  }

/**
 * An account with nothing locked has no open trade and none that is opening or closing: a trade's hold is there before it
 * opens and until its money is settled. For one with something locked trades come first, then money: every outcome that
 * trading has answered is in the ledger by then.
 */
const readAccount = async ({ trading, ledger }: CommandDeps, userId: string) => {
  const owner = ownerOfUuid(userId)
  const now = await ledger.balances(owner)
  if (!now.ok) return now
  if (now.value.every(({ locked }) => locked === 0n)) return ok({ trades: [], balances: now.value })
  const trades = await trading.openTrades(owner)
  if (!trades.ok) return trades
  const balances = await ledger.balances(owner)
  return balances.ok ? ok({ trades: trades.value, balances: balances.value }) : balances
}

const getBalance =
  (deps: CommandDeps) =>
  async ({ userId }: CommandCall): Promise<CommandResult> => ({
    identity: null,
    result: mapped(await readAccount(deps, userId), ({ trades, balances }) => ({
      data: {
        balances: balances.map(({ currency, balance, locked }) => ({
          asset: currency,
          available: formatAmount(balance - locked),
          locked: formatAmount(locked),
        })),
        trades: trades.map((trade) => valuedTradeFields(trade, unrealizedPnlOf(deps, trade))),
      },
      message: 'Operation completed',
    })),
  })

const sum = (values: readonly Units[]): Units => values.reduce((total, value) => total + value, 0n)

const getUsdBalance =
  (deps: CommandDeps) =>
  async ({ userId }: CommandCall): Promise<CommandResult> => {
    const account = await readAccount(deps, userId)
    if (!account.ok) return { identity: null, result: account }
    const { trades, balances } = account.value
    const gains: Units[] = []
    for (const trade of trades) {
      const pnl = unrealizedPnlOf(deps, trade)
      if (pnl === null)
        return {
          identity: null,
          result: refuse('PRICE_STALE', `there is no price of ${trade.asset} yet; try again in a moment`, 1),
        }
      gains.push(pnl - trade.fundingCost)
    }
    // USDC = 1 USD; other currencies are not valued here.
    const dollars = balances.filter(({ currency }) => currency === deps.config.accountCurrency)
    const locked = sum(dollars.map((balance) => balance.locked))
    const available = sum(dollars.map((balance) => balance.balance)) - locked
    const unrealizedPnl = sum(gains)
    const data = {
      available: formatAmount(available),
      locked: formatAmount(locked),
      unrealizedPnl: formatAmount(unrealizedPnl),
      equity: formatAmount(available + locked + unrealizedPnl),
    }
    return { identity: null, result: ok({ data, message: 'Operation completed' }) }
  }

/** The commands over the platform's clients. */
export const createCommands = (deps: CommandDeps): Commands => ({
  CREATE_ACCOUNT: createAccount(deps),
  GET_BALANCE: getBalance(deps),
  GET_USD_BALANCE: getUsdBalance(deps),
  CREATE_TRADE: createTrade(deps),
  UPDATE_TRADE: updateTrade(deps),
  CLOSE_TRADE: closeTrade(deps),
})
