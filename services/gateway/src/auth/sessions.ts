import { SignJWT, errors, jwtVerify } from 'jose'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory, UserRecord } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'

/** A session that is valid now. */
export interface Session {
  readonly sessionId: string
  readonly userId: string
  readonly email: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** Sessions as signed cookies; the Directory says which of them are void. */
export interface Sessions {
  readonly cookieName: string
  /** A `set-cookie` value that begins a session. */
  issue(user: UserRecord): Promise<string>
  /** The session of a cookie's value; null when it is missing, forged, expired, revoked or its user is locked. */
  check(token: string | undefined): Promise<Session | null>
  /** Ends this session, or all of the user's, at every gateway. */
  end(session: Session, all: boolean): Promise<void>
  /** Ends all sessions of a user. */
  endAll(userId: string): Promise<void>
  /** A `set-cookie` value that makes the browser forget the session. */
  readonly clearing: string
  /** Calls back with the user whenever sessions end through this gateway, so that sockets close at once. */
  onEnded(listener: (userId: string) => void): () => void
}

/** Name of the cookie, fixed by the contract. */
export const SESSION_COOKIE = 'authToken'

const ISSUER = 'bourse'
const AUDIENCE = 'bourse-gateway'

/** Sessions as JWT (HS256) in an HTTP-only, SameSite=Lax cookie. */
export const createSessions = (options: {
  readonly directory: Directory
  readonly clock: Clock
  readonly ids: Ids
  readonly secret: string
  readonly secure: boolean
  readonly ttlMs: number
}): Sessions => {
  const { directory, clock, ids, secure, ttlMs } = options
  const key = new TextEncoder().encode(options.secret)
  const listeners = new Set<(userId: string) => void>()
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  const announce = (userId: string): void => {
    for (const listener of listeners) listener(userId)
  }

  const verify = async (token: string) => {
    try {
      return (
        await jwtVerify(token, key, {
          algorithms: ['HS256'],
          issuer: ISSUER,
          audience: AUDIENCE,
          currentDate: new Date(clock.nowMs()),
          requiredClaims: ['sub', 'jti', 'exp', 'issuedAtMs'],
        })
      ).payload
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  const endAll = async (userId: string): Promise<void> => {
    // One more than now: a session issued in this very millisecond ends too.
    await directory.endSessions(userId, clock.nowMs() + 1)
    announce(userId)
  }

  return {
    cookieName: SESSION_COOKIE,
    issue: async (user) => {
      const issuedAtMs = Math.max(clock.nowMs(), user.sessionsValidFromMs)
      const expiresAtSeconds = Math.floor((issuedAtMs + ttlMs) / 1_000)
      const token = await new SignJWT({ issuedAtMs })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(user.id)
        .setJti(ids.uuid())
        .setExpirationTime(expiresAtSeconds)
        .sign(key)
      return `${SESSION_COOKIE}=${token}; ${attributes}; Max-Age=${Math.floor(ttlMs / 1_000)}`
    },
    check: async (token) => {
      if (token === undefined || token === '') return null
      const payload = await verify(token)
      if (payload === null) return null
      const { sub, jti, exp, issuedAtMs } = payload
      if (sub === undefined || jti === undefined || exp === undefined || typeof issuedAtMs !== 'number') return null
      if (await directory.isSessionRevoked(jti)) return null
      const user = await directory.userById(sub)
      if (user === null || user.locked || issuedAtMs < user.sessionsValidFromMs) return null
      return {
        sessionId: jti,
        userId: user.id,
        email: user.email,
        createdAtMs: user.createdAtMs,
        expiresAtMs: exp * 1_000,
      }
    },
    end: async (session, all) => {
      await directory.revokeSession(session.sessionId, session.expiresAtMs)
      if (all) await endAll(session.userId)
      else announce(session.userId)
    },
    endAll,
    clearing: `${SESSION_COOKIE}=; ${attributes}; Max-Age=0`,
    onEnded: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
