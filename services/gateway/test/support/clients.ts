import type { BankDayUse, BankOutcome, BankTransaction, BridgeClient } from '@bourse/bridge/client/types.ts'
import { ok, refuse, type Refusal, type Result } from '@bourse/common/errors/codes.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { LedgerClient } from '@bourse/ledger/client/types.ts'
import type {
  ClosedTrade,
  CreateTradeRequest,
  OpenTrade,
  TradingClient,
  UpdateTradeRequest,
} from '@bourse/trading/client/types.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** First outcomes by command id, as the machines keep them. */
export const outcomes = () => {
  const kept = new Map<string, { readonly hash: string; readonly result: Result<unknown> }>()
  return async <Value>({ id, requestHash }: CommandIdentity, run: () => Result<Value>): Promise<Result<Value>> => {
    const first = kept.get(hex(id))
    if (first !== undefined) {
      return first.hash === hex(requestHash)
        ? (first.result as Result<Value>)
        : refuse('IDEMPOTENCY_CONFLICT', 'the key was used for another request')
    }
    const result = run()
    kept.set(hex(id), { hash: hex(requestHash), result })
    return result
  }
}

const UNIT = 100_000_000n

/** A trade with plausible figures. */
export const openTrade = (fields: Partial<OpenTrade> = {}): OpenTrade => ({
  tradeId: 'trade_1',
  asset: 'BTC_USDC',
  direction: 'LONG',
  margin: 1_000n * UNIT,
  leverage: 10,
  quantity: 10_000_000n,
  entryPrice: 100_000n * UNIT,
  liquidationPrice: 90_400n * UNIT,
  stopLossPrice: null,
  takeProfitPrice: null,
  openFee: 5n * UNIT,
  openedAtMs: 1_700_000_000_000,
  fundingCost: 0n,
  ...fields,
})

/** Its end. */
export const closedTrade = (fields: Partial<ClosedTrade> = {}): ClosedTrade => ({
  ...openTrade(),
  exitPrice: 101_000n * UNIT,
  pnl: 100n * UNIT,
  fees: 10n * UNIT,
  funding: 0n,
  returned: 1_095n * UNIT,
  reason: 'USER',
  closedAtMs: 1_700_000_060_000,
  ...fields,
})

/** Trading in memory: one refusal can be set, which every opening then gets. */
export const testTrading = () => {
  const once = outcomes()
  const requests: CreateTradeRequest[] = []
  const updates: UpdateTradeRequest[] = []
  const trades = new Map<string, OpenTrade & { readonly owner: string }>()
  const control: { refusal: Refusal | null; reads: string[]; state: 'Open' | 'Halted' | 'ReduceOnly' } = {
    refusal: null,
    reads: [],
    state: 'Open',
  }
  const client: TradingClient = {
    createTrade: (request) =>
      once(request.identity, () => {
        requests.push(request)
        if (control.refusal !== null) return { ok: false, refusal: control.refusal }
        const { asset, direction, margin, leverage, stopLossPrice, takeProfitPrice } = request
        const trade = openTrade({
          tradeId: `trade_${requests.length}`,
          asset,
          direction,
          margin,
          leverage,
          stopLossPrice,
          takeProfitPrice,
        })
        trades.set(trade.tradeId, { ...trade, owner: hex(request.account) })
        return ok(trade)
      }),
    updateTrade: (request) =>
      once(request.identity, () => {
        updates.push(request)
        const { account, tradeId, stopLossPrice, takeProfitPrice } = request
        const trade = trades.get(tradeId)
        if (trade === undefined || trade.owner !== hex(account))
          return refuse('TRADE_NOT_FOUND', `there is no trade ${tradeId} of yours`)
        const updated = {
          ...trade,
          stopLossPrice: stopLossPrice === undefined ? trade.stopLossPrice : stopLossPrice,
          takeProfitPrice: takeProfitPrice === undefined ? trade.takeProfitPrice : takeProfitPrice,
        }
        trades.set(tradeId, updated)
        return ok(updated)
      }),
    closeTrade: ({ identity, account, tradeId }) =>
      once(identity, () => {
        const trade = trades.get(tradeId)
        if (trade === undefined || trade.owner !== hex(account))
          return refuse('TRADE_NOT_FOUND', `there is no trade ${tradeId} of yours`)
        trades.delete(tradeId)
        return ok(closedTrade({ tradeId }))
      }),
    openTrades: async (account) => {
      control.reads.push('trades')
      return ok([...trades.values()].filter(({ owner }) => owner === hex(account)))
    },
    setMarketState: (identity, _asset, state) =>
      once(identity, () => {
        control.state = state
        return ok(undefined)
      }),
    marketState: async () => ok({ state: control.state, openTrades: trades.size }),
  }
  /** Margins of an account's open trades: what the ledger holds for them. */
  const lockedOf = (account: Uint8Array): bigint =>
    [...trades.values()].filter(({ owner }) => owner === hex(account)).reduce((sum, { margin }) => sum + margin, 0n)
  return { client, requests, updates, control, lockedOf }
}

/** A ledger in memory: one currency per owner. */
export const testLedger = (reads: string[], lockedOf: (owner: Uint8Array) => bigint) => {
  const once = outcomes()
  const balances = new Map<string, bigint>()
  const grants: bigint[] = []
  const client: LedgerClient = {
    openAccount: (identity, owner, _currency, grant) =>
      once(identity, () => {
        const existed = balances.has(hex(owner))
        if (!existed) {
          balances.set(hex(owner), grant)
          grants.push(grant)
        }
        return ok({ existed })
      }),
    balances: async (owner) => {
      reads.push('balances')
      const balance = balances.get(hex(owner))
      return balance === undefined
        ? refuse('ACCOUNT_NOT_FOUND', 'open the account first: CREATE_ACCOUNT')
        : ok([{ currency: 'USDC', balance, locked: lockedOf(owner), version: 1n }])
    },
    adjust: (identity, owner, _currency, amount) =>
      once(identity, () => {
        const balance = (balances.get(hex(owner)) ?? 0n) + amount
        if (balance < 0n) return refuse('INSUFFICIENT_FUNDS', 'the balance is too low')
        balances.set(hex(owner), balance)
        return ok({ transactionId: `0:${balances.size}` })
      }),
    fund: (identity) => once(identity, () => ok({ transactionIds: ['0:1', '1:1'] })),
    correct: (identity, transactionId) =>
      once(identity, () =>
        transactionId === '0:404'
          ? refuse('TRANSACTION_NOT_FOUND', 'there is no such transaction')
          : ok({ transactionId: '0:9' }),
      ),
  }
  return { client, balances, grants }
}

/** A transaction of a bank. */
export const bankTransaction = (fields: Partial<BankTransaction> = {}): BankTransaction => ({
  transactionId: 'tx_1',
  idempotencyKey: '0b6f5c1e-0000-4000-8000-000000000001',
  bankUserId: 'user_123',
  type: 'BUY',
  status: 'COMPLETED',
  amountIn: '100.00',
  amountOut: '58.47',
  currencyIn: 'AZN',
  currencyOut: 'USDT',
  feeAmount: '1.50',
  exchangeRate: '1.7100',
  errorCode: null,
  message: null,
  createdAtMs: 1_700_000_000_000,
  entries: [
    { id: '0:1:0', transactionId: 'tx_1', accountId: 'a', currency: 'AZN', amount: '-100.00', balanceAfter: '0.00' },
  ],
  answer: {
    status: 201,
    body: {
      success: true,
      data: {
        transactionId: 'tx_1',
        status: 'COMPLETED',
        cryptoAmount: '58.47',
        cryptoCurrency: 'USDT',
        exchangeRate: '1.7100',
      },
    },
  },
  ...fields,
})

/** A bridge whose answers a test sets; transactions belong to the bank `demo`. */
export const testBridge = () => {
  const once = outcomes()
  const calls: unknown[] = []
  const control: { trade: Result<BankTransaction> | 'pending'; dayUse: Result<BankDayUse> } = {
    trade: ok(bankTransaction()),
    dayUse: ok({ day: '2026-01-31', used: '125.50' }),
  }
  const owned = (bank: string, transaction: BankTransaction): Result<BankTransaction> =>
    bank === 'demo' ? ok(transaction) : refuse('NOT_FOUND', 'there is no such transaction')
  const perform: BridgeClient['trade'] = async (request) =>
    once(request.identity, (): Result<BankOutcome> => {
      calls.push(request)
      if (control.trade === 'pending') return ok({ kind: 'pending', transactionId: 'tx_1' })
      return control.trade.ok ? ok({ kind: 'final', transaction: control.trade.value }) : control.trade
    })
  const client: BridgeClient = {
    quote: async ({ amount, side }) =>
      ok({
        quoteId: 'q_1',
        side,
        price: '1.7100',
        cryptoAmount: '58.47',
        fiatAmount: formatAmount(amount, 2),
        expiresAtMs: 1_700_000_010_000,
      }),
    cancelQuote: async (_bank, quoteId) =>
      quoteId === 'q_1' ? ok(undefined) : refuse('QUOTE_NOT_FOUND', 'there is no such quote'),
    trade: perform,
    move: (request) =>
      once(request.identity, () => {
        calls.push(request)
        return ok({
          kind: 'final',
          transaction: bankTransaction({
            type: request.type,
            answer: { status: 201, body: { success: true, data: { transactionId: 'tx_2', status: 'COMPLETED' } } },
          }),
        })
      }),
    accounts: async (_bank, bankUserId) =>
      bankUserId === 'user_123'
        ? ok([{ currency: 'AZN', balance: '100.00', lockedBalance: '0.00', version: 3 }])
        : refuse('NOT_FOUND', 'there is no such customer'),
    transaction: async (bank) => owned(bank, bankTransaction()),
    transactionByKey: async (bank, idempotencyKey) => owned(bank, bankTransaction({ idempotencyKey })),
    transactions: async () => ok({ items: [bankTransaction()], nextCursor: null, asOfMs: 1_700_000_000_000 }),
    customers: async (bank, { cursor, limit }) => {
      const all = bank === 'demo' ? ['anna', 'bela', 'cyrus'] : []
      const rest = cursor === null ? all : all.slice(all.indexOf(cursor) + 1)
      return ok({
        items: rest.slice(0, limit).map((bankUserId) => ({ bankUserId, kycLevel: 1, createdAtMs: 1_700_000_000_000 })),
        nextCursor: rest.length > limit ? (rest[limit - 1] ?? null) : null,
        asOfMs: 1_700_000_000_000,
      })
    },
    dayUse: async () => control.dayUse,
    redeliver: async (request) =>
      once(request.identity, () => {
        const { from, to } = request
        if (from > 5) return refuse('NOT_FOUND', `there is no event ${from}; the last one is 5`)
        calls.push(request)
        return ok({ from, to: to ?? 5, count: (to ?? 5) - from + 1 })
      }),
    statement: async (_bank, fromMs, toMs) =>
      ok({
        fromMs,
        toMs,
        asOfMs: toMs,
        opening: [{ currency: 'AZN', balance: '0.00' }],
        closing: [{ currency: 'AZN', balance: '100.00' }],
        spreadEarned: [{ currency: 'AZN', amount: '1.50' }],
        entries: [
          {
            id: '0:1:0',
            transactionId: 'tx_1',
            accountId: 'a',
            currency: 'AZN',
            amount: '100.00',
            balanceAfter: '100.00',
            bankUserId: '=cmd|x',
            type: 'DEPOSIT',
            atMs: fromMs,
          },
        ],
      }),
    events: async (_bank, after) =>
      ok({
        events:
          after >= 1
            ? []
            : [
                {
                  sequence: 1,
                  id: 'e_1',
                  type: 'transaction.completed',
                  createdAt: '2026-01-01T00:00:00.000Z',
                  data: { transactionId: 'tx_1' },
                },
              ],
        asOfMs: 1_700_000_000_000,
      }),
  }
  return { client, calls, control }
}
