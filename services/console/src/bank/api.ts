import type { BourseClient } from '@bourse/client/client.ts'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { EventRange } from './event-pages.ts'
import type { Simulator } from './faults.ts'
import type { Deed, DeedAnswer } from './intent.ts'
import type { Range } from './ranges.ts'
import type {
  BankAccount,
  BankControlChange,
  BankCustomerPage,
  BankEvents,
  BankSelf,
  BankTransaction,
  BankTransactionPage,
  ExchangeControlChange,
  Quote,
  Redelivery,
  SandboxControl,
  SandboxDoors,
  SimulatorCall,
  Statement,
} from './shapes.ts'

/** Customers and transactions of one page. */
export const PAGE = 50

/** What the bank desk asks of the platform. Every call throws `BourseRefusal`. */
export interface BankApi {
  self(signal?: AbortSignal): Promise<BankSelf>
  customers(cursor: string | null, signal?: AbortSignal): Promise<BankCustomerPage>
  accounts(bankUserId: string, signal?: AbortSignal): Promise<readonly BankAccount[]>
  /** Of one customer, or of all. */
  transactions(
    query: { readonly bankUserId: string | null; readonly cursor: string | null },
    signal?: AbortSignal,
  ): Promise<BankTransactionPage>
  transaction(id: string, signal?: AbortSignal): Promise<BankTransaction>
  /** "Did it happen?" */
  transactionByKey(key: string, signal?: AbortSignal): Promise<BankTransaction>
  quote(deed: Pick<Deed, 'bankUserId' | 'amount' | 'currency'> & { readonly side: 'BUY' | 'SELL' }): Promise<Quote>
  takeBack(quoteId: string): Promise<void>
  /** Does a deed under its key; a repeat does it no second time. */
  perform(deed: Deed, key: string): Promise<DeedAnswer>
  statement(range: Range, signal?: AbortSignal): Promise<Statement>
  /** The same as the API's own CSV. */
  statementCsv(range: Range): Promise<string>
  events(after: number, limit: number, signal?: AbortSignal): Promise<BankEvents>
  /** Sends acknowledged events to the callback again; the same key sends nothing twice. */
  redeliver(range: EventRange, key: string): Promise<Redelivery>
  /** Null where the platform has no sandbox. */
  sandbox(signal?: AbortSignal): Promise<SandboxDoors | null>
  control(simulator: Simulator, signal?: AbortSignal): Promise<SandboxControl>
  setControl(simulator: Simulator, change: Partial<SandboxControl>): Promise<SandboxControl>
  log(simulator: Simulator, after: number, limit: number, signal?: AbortSignal): Promise<readonly SimulatorCall[]>
}

const keyed = (key: string) => ({ header: { 'x-idempotency-key': key } })

/** Calls under a key: trades by side, moves of fiat by kind. */
const createDeeds =
  (client: BourseClient) =>
  async ({ kind, bankUserId, amount, currency, quoteId, reference }: Deed, key: string): Promise<DeedAnswer> => {
    const params = keyed(key)
    const trade = { bankUserId, amount, currency, ...(quoteId === null ? {} : { quoteId }) }
    const move = { bankUserId, amount, currency, reference }
    switch (kind) {
      case 'BUY':
        return (await client.POST('/api/v1/trade/buy', { params, body: trade })).data.data
      case 'SELL':
        return (await client.POST('/api/v1/trade/sell', { params, body: trade })).data.data
      case 'DEPOSIT':
        return (await client.POST('/api/v1/deposits', { params, body: move })).data.data
      case 'WITHDRAWAL':
        return (await client.POST('/api/v1/withdrawals', { params, body: move })).data.data
    }
  }

const withSignal = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal })

const createReads = (
  client: BourseClient,
): Pick<
  BankApi,
  | 'self'
  | 'customers'
  | 'accounts'
  | 'transactions'
  | 'transaction'
  | 'transactionByKey'
  | 'statement'
  | 'statementCsv'
  | 'events'
> => {
  const rangeQuery = ({ fromMs, toMs }: Range) => ({ query: { from: String(fromMs), to: String(toMs) } })
  return {
    self: async (signal) => (await client.GET('/api/v1/bank', withSignal(signal))).data,
    customers: async (cursor, signal) => {
      const query = { limit: PAGE, ...(cursor === null ? {} : { cursor }) }
      return (await client.GET('/api/v1/users', { params: { query }, ...withSignal(signal) })).data
    },
    accounts: async (bankUserId, signal) => {
      const params = { path: { bankUserId } }
      return (await client.GET('/api/v1/users/{bankUserId}/accounts', { params, ...withSignal(signal) })).data
    },
    transactions: async ({ bankUserId, cursor }, signal) => {
      const query = {
        limit: PAGE,
        ...(bankUserId === null ? {} : { bankUserId }),
        ...(cursor === null ? {} : { cursor }),
      }
      const { data } = await client.GET('/api/v1/transactions', { params: { query }, ...withSignal(signal) })
      // Without a key the document promises the page, of the two that it has for this path.
      return data as BankTransactionPage
    },
    transaction: async (id, signal) =>
      (await client.GET('/api/v1/transactions/{id}', { params: { path: { id } }, ...withSignal(signal) })).data,
    transactionByKey: async (key, signal) => {
      const params = { query: { idempotencyKey: key } }
      const { data } = await client.GET('/api/v1/transactions', { params, ...withSignal(signal) })
      // With a key it promises the transaction.
      return data as BankTransaction
    },
    statement: async (range, signal) =>
      (await client.GET('/api/v1/statement', { params: rangeQuery(range), ...withSignal(signal) })).data as Statement,
    statementCsv: async (range) => {
      const asked = { params: rangeQuery(range), parseAs: 'text', headers: { accept: 'text/csv' } } as const
      return (await client.GET('/api/v1/statement', asked)).data
    },
    events: async (after, limit, signal) =>
      (await client.GET('/api/v1/events', { params: { query: { after, limit } }, ...withSignal(signal) })).data,
  }
}

const createSandbox = (client: BourseClient): Pick<BankApi, 'sandbox' | 'control' | 'setControl' | 'log'> => ({
  sandbox: async (signal) => {
    try {
      return (await client.GET('/api/v1/sandbox', withSignal(signal))).data
    } catch (error) {
      // A platform without simulators of its own has no such door: that is an answer.
      if (error instanceof BourseRefusal && error.status === 404) return null
      throw error
    }
  },
  control: async (simulator, signal) =>
    simulator === 'exchange'
      ? (await client.GET('/api/v1/sandbox/exchange/control', withSignal(signal))).data
      : (await client.GET('/api/v1/sandbox/bank/control', withSignal(signal))).data,
  // Which calls a simulator has was judged when a fault was read; the platform judges it again.
  setControl: async (simulator, change) =>
    simulator === 'exchange'
      ? (await client.PUT('/api/v1/sandbox/exchange/control', { body: change as ExchangeControlChange })).data
      : (await client.PUT('/api/v1/sandbox/bank/control', { body: change as BankControlChange })).data,
  log: async (simulator, after, limit, signal) => {
    const asked = { params: { query: { after, limit } }, ...withSignal(signal) }
    return simulator === 'exchange'
      ? (await client.GET('/api/v1/sandbox/exchange/log', asked)).data
      : (await client.GET('/api/v1/sandbox/bank/log', asked)).data
  },
})

/** The desk's calls over a client that has the bank's key. */
export const createBankApi = (client: BourseClient): BankApi => ({
  ...createReads(client),
  ...createSandbox(client),
  perform: createDeeds(client),
  redeliver: async (range, key) =>
    (await client.POST('/api/v1/events/redelivery', { params: keyed(key), body: range })).data.data,
  quote: async (asked) => (await client.POST('/api/v1/quotes', { body: asked })).data,
  takeBack: async (quoteId) => {
    await client.DELETE('/api/v1/quotes/{quoteId}', { params: { path: { quoteId } } })
  },
})
