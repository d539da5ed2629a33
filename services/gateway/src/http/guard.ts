import { timingSafeEqual, createHash } from 'node:crypto'
import type { Context } from 'koa'
import type { Sessions } from '../auth/sessions.ts'
import type { BankKeys } from '../bank/keys.ts'
import type { GatewayLimits } from '../config.ts'
import { ApiError } from './api-error.ts'
import { cookieOf } from './cookie.ts'
import type { OriginCheck } from './origin.ts'
import type { RateGate } from './rate-gate.ts'
import type { PrincipalOf, RouteSpec, Security } from './route.ts'

/** Finds out who calls and whether they may, before anything of the body is read. @throws {ApiError} */
export type RouteGuard = <Kind extends Security>(
  kind: Kind,
  spec: RouteSpec,
  context: Context,
  address: string,
) => Promise<PrincipalOf[Kind]>

/** Parts of the guard. */
export interface GuardOptions {
  readonly sessions: Sessions
  readonly bankKeys: BankKeys
  readonly adminToken: string
  readonly originAllowed: OriginCheck
  readonly rate: RateGate
  readonly limits: GatewayLimits
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()

const ADMIN_NAME = /^[\x20-\x7e]{1,64}$/

const adminGuard = ({ adminToken, rate, limits }: GuardOptions) => {
  const expected = sha256(adminToken)
  return async (context: Context, address: string): Promise<{ readonly who: string }> => {
    const [, token = ''] = /^Bearer (.{1,512})$/.exec(context.get('authorization')) ?? []
    // Both sides are hashed first: the comparison takes the same time whatever was sent.
    if (!timingSafeEqual(sha256(token), expected)) {
      await rate(`failed:${address}`, limits.failedKeysPerAddress)
      throw new ApiError('UNAUTHENTICATED', 'administration needs the header authorization: Bearer <admin token>')
    }
    await rate('administration', limits.administration)
    const who = context.get('x-admin-user') || 'admin'
    if (!ADMIN_NAME.test(who))
      throw new ApiError('VALIDATION_ERROR', 'x-admin-user must have 1 to 64 printable characters')
    return { who }
  }
}

/** The guard of all routes. */
export const createGuard = (options: GuardOptions): RouteGuard => {
  const { sessions, bankKeys, originAllowed, rate, limits } = options
  const admin = adminGuard(options)
  const guards: {
    readonly [Kind in Security]: (spec: RouteSpec, context: Context, address: string) => Promise<PrincipalOf[Kind]>
  } = {
    none: async (spec, context, address) => {
      if (spec.method !== 'GET' && !originAllowed(context.req.headers)) throw foreignOrigin()
      if (spec.tag !== 'Health') await rate(`address:${address}`, limits.anonymousPerAddress)
      return null
    },
    session: async (spec, context, address) => {
      if (spec.method !== 'GET' && !originAllowed(context.req.headers)) throw foreignOrigin()
      const session = await sessions.check(cookieOf(context.req.headers.cookie, sessions.cookieName))
      if (session === null) {
        await rate(`address:${address}`, limits.anonymousPerAddress)
        throw new ApiError('UNAUTHENTICATED', 'there is no valid session; sign in at /api/v1/auth/signin')
      }
      await rate(`user:${session.userId}`, limits.perUser)
      return session
    },
    bank: async (_spec, context, address) => {
      const bank = await bankKeys.bankOf(context.get('x-api-key'), address)
      const perSecond = bank.spec.limits.requestsPerSecond
      await rate(`bank:${bank.name}`, { perSecond, burst: perSecond })
      return bank
    },
    admin: (_spec, context, address) => admin(context, address),
  }
  return (kind, spec, context, address) => guards[kind](spec, context, address)
}

const foreignOrigin = (): ApiError =>
  new ApiError('FORBIDDEN', 'requests from another site are refused; call from an allowed origin')
