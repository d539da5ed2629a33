import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory, UserRecord } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { GatewayLimits } from '../config.ts'
import { ApiError, invalid } from '../http/api-error.ts'
import { fieldsOf } from '../http/fields.ts'
import type { RateGate } from '../http/rate-gate.ts'
import { route, type Answer, type Route, type RouteRequest } from '../http/route.ts'
import type { Passwords } from './password.ts'
import type { Sessions } from './sessions.ts'
import { authSpecs } from './specs.ts'

/** Parts of the session routes. */
export interface AuthOptions {
  readonly directory: Directory
  readonly sessions: Sessions
  readonly passwords: Passwords
  readonly rate: RateGate
  readonly limits: GatewayLimits
  readonly clock: Clock
  readonly ids: Ids
}

const PASSWORD_BYTES_MIN = 8
const PASSWORD_BYTES_MAX = 128
/**
 * One at, something before it, a dotted name behind it; no blanks or control characters. Whether it exists
 * only a message can tell.
 */
const EMAIL = /^[^\s@\p{Cc}]{1,64}@(?=.{1,253}$)[^\s@.\p{Cc}]+(?:\.[^\s@.\p{Cc}]+)+$/u

/** An e-mail as it is kept: NFKC, lower case, trimmed. @throws {ApiError} */
export const normalEmail = (text: string): string => {
  const email = text.normalize('NFKC').trim().toLowerCase()
  if (!EMAIL.test(email)) throw invalid('email is not an address such as "name@example.com"')
  return email
}

const checkedPassword = (password: string): string => {
  const bytes = Buffer.byteLength(password.normalize('NFKC'), 'utf8')
  if (bytes < PASSWORD_BYTES_MIN) throw invalid(`password is too short; use at least ${PASSWORD_BYTES_MIN} bytes`)
  if (bytes > PASSWORD_BYTES_MAX) throw invalid(`password is too long; use at most ${PASSWORD_BYTES_MAX} bytes`)
  return password
}

const credentialsOf = (request: RouteRequest): { readonly email: string; readonly password: string } => {
  if (request.body === null) throw new Error('the route has a body schema')
  const fields = fieldsOf(request.body)
  return { email: normalEmail(fields.text('email')), password: fields.text('password') }
}

const shownUser = (user: { readonly userId: string; readonly email: string; readonly createdAtMs: number }) => ({
  success: true,
  data: { userId: user.userId, email: user.email, createdAt: new Date(user.createdAtMs).toISOString() },
})

const signedIn = async (sessions: Sessions, user: UserRecord, status: number): Promise<Answer> => ({
  status,
  body: shownUser({ ...user, userId: user.id }),
  headers: { 'set-cookie': await sessions.issue(user) },
})

const signUp =
  ({ directory, sessions, passwords, rate, limits, clock, ids }: AuthOptions) =>
  async (request: RouteRequest): Promise<Answer> => {
    const { email, password } = credentialsOf(request)
    checkedPassword(password)
    await rate(`signup:${request.address}`, limits.signUpPerAddress)
    if ((await directory.userByEmail(email)) !== null) throw emailTaken()
    const user: UserRecord = {
      id: ids.uuid(),
      email,
      passwordHash: await passwords.hash(password),
      createdAtMs: clock.nowMs(),
      locked: false,
      sessionsValidFromMs: 0,
    }
    // The unique index decides a race of two sign-ups.
    if ((await directory.createUser(user)) === 'taken') throw emailTaken()
    return signedIn(sessions, user, 201)
  }

const emailTaken = (): ApiError => new ApiError('EMAIL_TAKEN', 'there is a user with this e-mail; sign in instead')

const signIn =
  ({ directory, sessions, passwords, rate, limits }: AuthOptions) =>
  async (request: RouteRequest): Promise<Answer> => {
    const { email, password } = credentialsOf(request)
    await rate(`signin-address:${request.address}`, limits.signInPerAddress)
    await rate(`signin-email:${email}`, limits.signInPerEmail)
    const user =
      Buffer.byteLength(password, 'utf8') > PASSWORD_BYTES_MAX * 4 ? null : await directory.userByEmail(email)
    const matches = await passwords.matches(password.slice(0, PASSWORD_BYTES_MAX * 4), user?.passwordHash ?? null)
    if (user === null || !matches) throw new ApiError('UNAUTHENTICATED', 'e-mail or password is wrong')
    if (user.locked) throw new ApiError('FORBIDDEN', "this user is locked; ask the platform's administration")
    return signedIn(sessions, user, 200)
  }

/** Sign up, sign in, who am I, sign out. */
export const authRoutes = (options: AuthOptions): readonly Route[] => [
  route({ spec: authSpecs.signUp, handle: signUp(options) }),
  route({ spec: authSpecs.signIn, handle: signIn(options) }),
  route({ spec: authSpecs.me, handle: (_request, session) => ({ status: 200, body: shownUser(session) }) }),
  route({
    spec: authSpecs.signOut,
    handle: async ({ query }, session) => {
      const all = query['all'] === true
      await options.sessions.end(session, all)
      return {
        status: 200,
        body: { success: true, data: { ended: all ? 'all' : 'this' } },
        headers: { 'set-cookie': options.sessions.clearing },
      }
    },
  }),
]
