import { ADMIN_TOKEN, API_KEY } from './bourse.ts'
import { call, newKey, until, type Answer, type Call } from './calls.ts'

/** A refusal's fields, wherever it comes from. */
export interface RefusalBody {
  readonly success: boolean
  readonly errorCode: string
  readonly message: string
}

/** The code of a refusal, null of a success. */
export const codeOf = ({ body }: Answer): string | null => (body as Partial<RefusalBody> | null)?.errorCode ?? null

/** A bank transaction as the API shows it. */
export interface TransactionBody {
  readonly id: string
  readonly idempotencyKey: string
  readonly bankUserId: string
  readonly type: string
  readonly status: 'PENDING' | 'COMPLETED' | 'FAILED'
  readonly amountIn: string
  readonly amountOut: string | null
  readonly errorCode: string | null
  readonly entries: readonly {
    readonly accountId: string
    readonly currency: string
    readonly amount: string
    readonly balanceAfter: string
  }[]
}

/** A quote. */
export interface QuoteBody {
  readonly quoteId: string
  readonly price: string
  readonly expiresAt: string
}

/** A customer's account. */
export interface AccountBody {
  readonly currency: string
  readonly balance: string
  readonly lockedBalance: string
  readonly version: string
}

/** A trade as opening, closing and lists show it; what a trade does not have yet is absent. */
export interface TradeBody {
  readonly tradeId: string
  readonly asset: string
  readonly margin: string
  readonly quantity: string
  readonly entryPrice: string
  readonly liquidationPrice: string | null
  readonly status?: 'open' | 'closed'
  readonly fees: string
  readonly pnl: string
  readonly funding: string
  readonly returned: string
}

/** What GET_BALANCE answers. */
export interface BalanceBody {
  readonly balances: readonly { readonly asset: string; readonly available: string; readonly locked: string }[]
  readonly trades: readonly TradeBody[]
}

/** The data of a success in the bank's envelope. */
export const dataOf = <Data>(answer: Answer): Data => {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text.slice(0, 500)}`)
  return (answer.body as { readonly data: Data }).data
}

/** The data of a success in the trader's envelope. */
export const engineData = <Data>(answer: Answer): Data => {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text.slice(0, 500)}`)
  return (answer.body as { readonly engineResponse: { readonly data: Data } }).engineResponse.data
}

const bodyOf = <Body>(answer: Answer): Body => {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer.body as Body
}

/** What is only read is asked for again while there is no answer: the platform may be busy, or its machine have stood still. */
const heard = (ask: () => Promise<Answer>): Promise<Answer> => until(ask, ({ status }) => status !== 503)

/** The bank's side of the API. */
export const bankClient = (url: string, apiKey = API_KEY) => {
  const headers = { 'x-api-key': apiKey }
  const post = (path: string, body: unknown, key = newKey()): Promise<Answer> =>
    call(`${url}/api/v1${path}`, { body, headers: { ...headers, 'x-idempotency-key': key } })
  const get = (path: string): Promise<Answer> => call(`${url}/api/v1${path}`, { headers })
  return {
    post,
    get,
    buy: (bankUserId: string, amount: string, key?: string, quoteId?: string) =>
      post('/trade/buy', { bankUserId, amount, currency: 'AZN', ...(quoteId === undefined ? {} : { quoteId }) }, key),
    sell: (bankUserId: string, amount: string, key?: string) =>
      post('/trade/sell', { bankUserId, amount, currency: 'USDT' }, key),
    deposit: (bankUserId: string, amount: string, key?: string) =>
      post('/deposits', { bankUserId, amount, currency: 'AZN', reference: 'salary' }, key),
    quote: async (bankUserId: string, amount: string): Promise<QuoteBody> => {
      const body = { bankUserId, side: 'BUY', amount, currency: 'AZN' }
      const answer = await heard(() => call(`${url}/api/v1/quotes`, { headers, body }))
      if (answer.status !== 201) throw new Error(answer.text)
      return answer.body as QuoteBody
    },
    /** Balances by currency: `AZN 90.00 locked 0.00`; none before the customer's first call. */
    accounts: async (bankUserId: string): Promise<readonly AccountBody[]> => {
      const answer = await heard(() => get(`/users/${bankUserId}/accounts`))
      return answer.status === 404 ? [] : bodyOf<AccountBody[]>(answer)
    },
    byKey: async (key: string) =>
      bodyOf<TransactionBody>(await heard(() => get(`/transactions?idempotencyKey=${key}`))),
    /** Every transaction of the bank, page by page. */
    transactions: async (): Promise<TransactionBody[]> => {
      const all: TransactionBody[] = []
      for (let cursor = ''; ;) {
        const page = bodyOf<{ transactions: TransactionBody[]; nextCursor: string | null }>(
          await heard(() => get(`/transactions?limit=200${cursor}`)),
        )
        all.push(...page.transactions)
        if (page.nextCursor === null) return all
        cursor = `&cursor=${page.nextCursor}`
      }
    },
    /** Every event kept for the bank, in order. */
    events: async (): Promise<readonly Omit<EventBody, 'duplicates'>[]> => {
      const all: Omit<EventBody, 'duplicates'>[] = []
      for (;;) {
        const after = all.at(-1)?.sequence ?? 0
        const page = bodyOf<{ events: typeof all }>(await heard(() => get(`/events?after=${after}&limit=200`)))
        if (page.events.length === 0) return all
        all.push(...page.events)
      }
    },
  }
}

/** The bank's client. */
export type BankClient = ReturnType<typeof bankClient>

/** A trader with a session. */
export const traderClient = (url: string, cookie: string) => {
  const engine = (body: unknown, key?: string, more: Call = {}): Promise<Answer> =>
    call(`${url}/api/v1/engine`, {
      body,
      headers: { cookie, ...(key === undefined ? {} : { 'x-idempotency-key': key }) },
      ...more,
    })
  const get = (path: string): Promise<Answer> => call(`${url}/api/v1${path}`, { headers: { cookie } })
  return {
    cookie,
    engine,
    get,
    /** Sends an engine body as it is. */
    raw: (text: string, key?: string): Promise<Answer> =>
      call(`${url}/api/v1/engine`, {
        raw: text,
        headers: { cookie, ...(key === undefined ? {} : { 'x-idempotency-key': key }) },
      }),
    createAccount: (key?: string) => engine({ command: 'CREATE_ACCOUNT' }, key),
    open: (fields: object, key?: string) => engine({ command: 'CREATE_TRADE', direction: 'LONG', ...fields }, key),
    update: (tradeId: string, prices: object, key?: string) =>
      engine({ command: 'UPDATE_TRADE', tradeId, ...prices }, key),
    close: (tradeId: string, key?: string) => engine({ command: 'CLOSE_TRADE', tradeId }, key),
    balance: async () => engineData<BalanceBody>(await heard(() => engine({ command: 'GET_BALANCE' }))),
    /** Every trade of the list, page by page. */
    trades: async (): Promise<TradeBody[]> => {
      const all: TradeBody[] = []
      for (let cursor = ''; ;) {
        const page = bodyOf<{ trades: TradeBody[]; nextCursor: string | null }>(
          await heard(() => get(`/trades?limit=200${cursor}`)),
        )
        all.push(...page.trades)
        if (page.nextCursor === null) return all
        cursor = `&cursor=${page.nextCursor}`
      }
    },
  }
}

/** A trader's client. */
export type TraderClient = ReturnType<typeof traderClient>

/** Signs a new trader up, with an open account unless told otherwise. */
export const signUp = async (url: string, name: string, withAccount = true): Promise<TraderClient> => {
  const answer = await call(`${url}/api/v1/auth/signup`, {
    body: { email: `${name}@example.com`, password: 'a password of this test' },
  })
  if (answer.status !== 201) throw new Error(answer.text)
  const trader = traderClient(url, (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '')
  if (!withAccount) return trader
  const key = newKey()
  await until(
    () => trader.createAccount(key),
    ({ status }) => status === 200,
  )
  return trader
}

/** One partition as administration sees it. */
export interface PartitionBody {
  readonly name: string
  readonly state: string
  readonly sequence: string
  readonly snapshotSequence: string | null
}

/** Administration. */
export const adminClient = (url: string) => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const act = (path: string, body: object = {}, key = newKey()): Promise<Answer> =>
    call(`${url}/api/v1/admin${path}`, {
      body: { reason: 'a test', ...body },
      headers: { ...headers, 'x-idempotency-key': key },
    })
  return {
    act,
    partitions: async () => dataOf<PartitionBody[]>(await call(`${url}/api/v1/admin/partitions`, { headers })),
    audit: async () =>
      dataOf<{ records: { action: string }[] }>(await call(`${url}/api/v1/admin/audit`, { headers })).records,
  }
}

/** An order as the simulated exchange has it. */
export interface OrderBody {
  readonly clientOrderId: string
  readonly side: string
  readonly quantity: string
  readonly status: 'FILLED' | 'REJECTED'
  readonly executedQty?: string
}

/** An event as the simulated bank has it. */
export interface EventBody {
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly data: { readonly transactionId: string }
  readonly duplicates: number
}

/** What became of a transaction at the simulated bank. */
export interface BankSideBody {
  readonly state: 'AUTHORIZED' | 'DECLINED' | 'REVERSED'
  readonly authorizations: number
  readonly reversals: number
}

/** A fault for a simulator. */
export interface FaultBody {
  readonly on: string
  readonly kind: 'reject' | 'error' | 'hang' | 'slow' | 'drop' | 'twice'
  readonly ms?: number
  readonly count?: number
}

const control = (url: string) => ({
  control: async (told: object): Promise<void> => {
    const answer = await call(`${url}/control`, { method: 'PUT', body: told })
    if (answer.status !== 200) throw new Error(answer.text)
  },
  faults: async (...faults: readonly FaultBody[]): Promise<void> => {
    const answer = await call(`${url}/control`, { method: 'PUT', body: { faults } })
    if (answer.status !== 200) throw new Error(answer.text)
  },
  log: async () => bodyOf<{ path: string; body: unknown }[]>(await call(`${url}/control/log`)),
})

/** The simulated exchange's controls. */
export const exchangeControl = (url: string) => ({
  ...control(url),
  orders: async () => bodyOf<OrderBody[]>(await call(`${url}/control/orders`)),
})

/** The simulated bank's controls. */
export const bankControl = (url: string) => ({
  ...control(url),
  events: async () => bodyOf<EventBody[]>(await call(`${url}/control/events`)),
  /** Null when the bank never heard of it. */
  transaction: async (id: string): Promise<BankSideBody | null> => {
    const answer = await call(`${url}/control/transactions/${id}`)
    return answer.status === 404 ? null : bodyOf<BankSideBody>(answer)
  },
})
