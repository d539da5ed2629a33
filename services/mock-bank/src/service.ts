/**
 * The mock bank: plays the back end of a bank that Bourse calls back.
 *
 * - `POST /authorizations {transactionId, bankUserId, type, amount, currency}`: 200 `{acknowledged}`. The
 *   first decision on a transaction is repeated; one that was reversed is declined, however late it arrives;
 *   409 `TRANSACTION_ID_REUSED`
 * - `POST /reversals {transactionId}`: 200 `{acknowledged: true}`, also for an id never heard of
 * - `POST /webhooks {sequence, id, type, createdAt, data}`: 200 `{acknowledged: true}` when signed with one
 *   of the webhook secrets, 401 `BAD_SIGNATURE` (logged, not kept) when not; 409 `EVENT_ID_REUSED`
 *
 * A `reject` fault is the contract's refusal: `{acknowledged: false}` on `authorization` and `reversal`, 422
 * `REJECTED` on `webhook`. A rejected authorization stays declined, one already approved stays approved.
 *
 * `PUT /control` takes `faults` (on `authorization`, `reversal`, `webhook`),
 * `decline: [{bankUserId | transactionId, count?}]`, which replaces the whole list, and `webhookSecrets:
 * [...]`, which replaces those given at start until the next start (secrets are never written to disk, and
 * shown only as a count). `GET /control/events?after=&limit=` lists events in order of receipt
 * (`[{receipt, sequence, id, type, createdAt, data, receivedAt, duplicates}]`, paged by `receipt`),
 * `GET /control/transactions/{id}` one transaction with its `state` (`AUTHORIZED`, `DECLINED`, `REVERSED`)
 * and how often each call came. All of it is on disk (`<dataDir>/mock-bank.sqlite`) before anything is
 * answered. See `simulator/control.ts` for the rest, and `script.ts` for the script that drives a buy.
 */
import type { Clock } from '@bourse/common/ports/clock.ts'
import { CALL_LOG_SCHEMA } from '@bourse/common/simulator/callLog.ts'
import {
  PAGE_SCHEMA,
  pageOf,
  type ControlField,
  type ControlView,
  type PageQuery,
} from '@bourse/common/simulator/control.ts'
import { CONTROL_SCHEMA, createRuleList } from '@bourse/common/simulator/controlState.ts'
import { startSimulator, type Simulator } from '@bourse/common/simulator/service.ts'
import { openSimulatorStore } from '@bourse/common/simulator/store.ts'
import type { Logger } from 'pino'
import { BANK_SCHEMA, createBank, type Bank, type DeclineRule } from './bank.ts'
import { bankCalls } from './calls.ts'
import { DECLINE_SCHEMA, REVERSAL_SCHEMA, WEBHOOK_SECRETS_SCHEMA } from './schemas.ts'

/**
 * What a mock bank needs. `port` 0 = any free port; `dataDir` is made when missing; no secret: every webhook
 * is a 401.
 */
export interface MockBankOptions {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  readonly webhookSecrets?: readonly string[]
}

const viewsOf = (bank: Bank): readonly ControlView[] => [
  {
    path: '/control/events',
    schema: { type: 'object', additionalProperties: false, properties: PAGE_SCHEMA },
    read: (query: PageQuery) => {
      const { after, limit } = pageOf(query)
      return bank.events(after, limit)
    },
  },
  {
    path: '/control/transactions/:transactionId',
    schema: REVERSAL_SCHEMA,
    read: ({ transactionId }: { readonly transactionId: string }) => bank.transaction(transactionId),
  },
]

/** Starts a mock bank; rejects when the port or the data folder cannot be had. */
export const startMockBank = async (options: MockBankOptions): Promise<Simulator> => {
  const { host, port, dataDir, logger, clock, webhookSecrets = [] } = options
  const store = openSimulatorStore(dataDir, 'mock-bank', CALL_LOG_SCHEMA + CONTROL_SCHEMA + BANK_SCHEMA)
  const declines = createRuleList<DeclineRule>(store.database, 'decline')
  const bank = createBank(store.database, declines)
  let secrets = webhookSecrets

  const fields: Readonly<Record<string, ControlField>> = {
    decline: { schema: DECLINE_SCHEMA, apply: declines.replace, show: declines.list },
    webhookSecrets: {
      schema: WEBHOOK_SECRETS_SCHEMA,
      apply: (told: readonly string[]) => {
        secrets = told
      },
      show: () => secrets.length,
    },
  }
  return startSimulator({
    host,
    port,
    store,
    clock,
    logger,
    fields,
    calls: bankCalls(bank, () => secrets),
    views: viewsOf(bank),
  })
}
