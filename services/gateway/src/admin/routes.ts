import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import { commandIdentity, requestHashOf, type HashedField } from '@bourse/common/platform/client-identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { ownerOfUuid } from '@bourse/common/platform/identity.ts'
import type { GatewayDeps } from '../deps.ts'
import type { Sessions } from '../auth/sessions.ts'
import { invalid, unwrap } from '../http/api-error.ts'
import { fieldsOf, type BodyFields } from '../http/fields.ts'
import { answer, route, type Answer, type Route, type RouteRequest } from '../http/route.ts'
import { createActs, type Acts } from './acts.ts'
import { adminReads } from './reads.ts'
import { adminSpecs } from './specs.ts'

/** Parts of administration. */
export interface AdminOptions {
  readonly deps: GatewayDeps
  readonly sessions: Sessions
}

/** A field as the audit's detail shows it. */
const shownFields = (fields: Readonly<Record<string, HashedField>>): object =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? formatAmount(value) : value]),
  )

/** What an act needs besides its fields. */
interface Performing {
  readonly fields: BodyFields
  readonly identity: CommandIdentity
  readonly params: Readonly<Record<string, string>>
}

type AdminHandler = (request: RouteRequest, principal: { readonly who: string }) => Promise<Answer>

/** Reads the fields, journals the act, does it once. */
const acting =
  (acts: Acts, { ids }: GatewayDeps) =>
  (
    action: string,
    fieldsFor: (fields: BodyFields, params: Readonly<Record<string, string>>) => Readonly<Record<string, HashedField>>,
    run: (performing: Performing) => Promise<Result<object>>,
  ): AdminHandler =>
  async (request, { who }) => {
    if (request.body === null) throw new Error('the route has a body schema')
    const fields = fieldsOf(request.body)
    const named = fieldsFor(fields, request.params)
    const reason = fields.text('reason')
    const idempotencyKey = (request.headers['x-idempotency-key'] ?? '').toLowerCase()
    const hash = requestHashOf(request.method, request.path, { ...named, reason })
    const identity = commandIdentity(ids, 'admin:', idempotencyKey, hash)
    const act = {
      who,
      action,
      reason,
      idempotencyKey,
      requestHash: Buffer.from(hash).toString('hex'),
      detail: shownFields(named),
    }
    const data = unwrap(await acts.perform(act, () => run({ fields, identity, params: request.params })))
    return answer({ success: true, data })
  }

/** A currency that traders have here: a misspelt one would lie in an account that nothing can use. */
const traderCurrency = ({ config, pairs }: GatewayDeps, currency: string | null): string | null => {
  const known = [...new Set([config.accountCurrency, ...pairs().map(({ quoteAsset }) => quoteAsset)])]
  if (currency === null || known.includes(currency)) return currency
  throw invalid(`currency "${currency}" is not one of traders' accounts; use one of ${known.join(', ')}`)
}

const userNotFound = (userId: string) => refuse('NOT_FOUND', `there is no user ${userId}`)

/** Money: funds, credits, debits, corrections. */
const moneyRoutes = ({ deps }: AdminOptions, act: ReturnType<typeof acting>): readonly Route[] => {
  const { ledger, directory, config } = deps
  const adjustFields = (fields: BodyFields) => ({
    userId: fields.text('userId').toLowerCase(),
    amount: fields.amount('amount'),
    currency: traderCurrency(deps, fields.optionalText('currency')),
    reference: fields.text('reference'),
  })
  const adjust =
    (sign: 1n | -1n) =>
    async ({ fields, identity }: Performing): Promise<Result<object>> => {
      const { userId, amount, currency, reference } = adjustFields(fields)
      if ((await directory.userById(userId)) === null) return userNotFound(userId)
      return ledger.adjust(identity, ownerOfUuid(userId), currency ?? config.accountCurrency, sign * amount, reference)
    }
  const fundFields = (fields: BodyFields) => ({
    target: fields.text('target'),
    asset: fields.text('asset'),
    amount: fields.amount('amount'),
  })
  return [
    route({
      spec: adminSpecs.fund,
      handle: act('fund', fundFields, async ({ fields, identity }) => {
        const { target, asset, amount } = fundFields(fields)
        return (
          knownAsset(deps, asset) ?? ledger.fund(identity, target === 'house' ? 'house' : 'insurance', asset, amount)
        )
      }),
    }),
    route({ spec: adminSpecs.credit, handle: act('credit', adjustFields, adjust(1n)) }),
    route({ spec: adminSpecs.debit, handle: act('debit', adjustFields, adjust(-1n)) }),
    route({
      spec: adminSpecs.correct,
      handle: act(
        'correct',
        (fields) => ({ transactionId: fields.text('transactionId') }),
        ({ fields, identity }) => ledger.correct(identity, fields.text('transactionId')),
      ),
    }),
  ]
}

const knownAsset = ({ pairs }: GatewayDeps, asset: string): Result<never> | null => {
  const symbols = pairs().map(({ symbol }) => symbol)
  return symbols.includes(asset)
    ? null
    : refuse('MARKET_NOT_FOUND', `there is no market "${asset}"; use one of ${symbols.join(', ')}`)
}

/** Markets: halt and reopen. */
const marketActs = ({ deps }: AdminOptions, act: ReturnType<typeof acting>): readonly Route[] => {
  const setState =
    (state: 'Open' | 'Halted') =>
    async ({ identity, params }: Performing): Promise<Result<object>> => {
      const asset = params['asset'] ?? ''
      const refused = knownAsset(deps, asset)
      if (refused !== null) return refused
      const done = await deps.trading.setMarketState(identity, asset, state)
      return done.ok ? ok({ asset, state }) : done
    }
  const fields = (_fields: BodyFields, params: Readonly<Record<string, string>>) => ({ asset: params['asset'] ?? null })
  return [
    route({ spec: adminSpecs.halt, handle: act('halt', fields, setState('Halted')) }),
    route({ spec: adminSpecs.reopen, handle: act('reopen', fields, setState('Open')) }),
  ]
}

/** Users: lock, unlock, end sessions. */
const userActs = ({ deps, sessions }: AdminOptions, act: ReturnType<typeof acting>): readonly Route[] => {
  const { directory } = deps
  const idOf = (params: Readonly<Record<string, string>>): string => (params['userId'] ?? '').toLowerCase()
  const fields = (_fields: BodyFields, params: Readonly<Record<string, string>>) => ({ userId: idOf(params) })
  const setLocked =
    (locked: boolean) =>
    async ({ params }: Performing): Promise<Result<object>> => {
      const userId = idOf(params)
      if (!(await directory.setUserLocked(userId, locked))) return userNotFound(userId)
      if (locked) await sessions.endAll(userId)
      return ok({ userId, locked })
    }
  return [
    route({ spec: adminSpecs.lock, handle: act('lock', fields, setLocked(true)) }),
    route({ spec: adminSpecs.unlock, handle: act('unlock', fields, setLocked(false)) }),
    route({
      spec: adminSpecs.endSessions,
      handle: act('end-sessions', fields, async ({ params }) => {
        const userId = idOf(params)
        if ((await directory.userById(userId)) === null) return userNotFound(userId)
        await sessions.endAll(userId)
        return ok({ userId })
      }),
    }),
  ]
}

/** Every call of administration. */
export const adminRoutes = (options: AdminOptions): readonly Route[] => {
  const acts = createActs(options.deps)
  const act = acting(acts, options.deps)
  return [
    ...moneyRoutes(options, act),
    ...marketActs(options, act),
    ...userActs(options, act),
    ...adminReads(options.deps, acts),
  ]
}
