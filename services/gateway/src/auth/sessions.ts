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
/** Tokens whose signature is known to be right; beyond it the longest known is verified anew. */
const TOKENS_KEPT_MAX = 10_000

interface Claims {
  readonly userId: string
  readonly sessionId: string
  readonly expiresAtSeconds: number
  readonly issuedAtMs: number
}

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

  const verify = async (token: string): Promise<Claims | null> => {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ['sub', 'jti', 'exp', 'issuedAtMs'],
      })
      const { sub, jti, exp, issuedAtMs } = payload
      if (sub === undefined || jti === undefined || exp === undefined || typeof issuedAtMs !== 'number') return null
      return { userId: sub, sessionId: jti, expiresAtSeconds: exp, issuedAtMs }
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  /** What never changes about a token: its signature and its claims. Whether it is void is asked every time. */
  const verified = new Map<string, Claims>()
  const claimsOf = async (token: string): Promise<Claims | null> => {
    const known = verified.get(token)
    if (known !== undefined) {
      if (known.expiresAtSeconds > Math.floor(clock.nowMs() / 1_000)) return known
      verified.delete(token)
      return null
    }
    const claims = await verify(token)
    if (claims === null) return null
    const oldest = verified.keys().next().value
    if (verified.size >= TOKENS_KEPT_MAX && oldest !== undefined) verified.delete(oldest)
    verified.set(token, claims)
    return claims
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
      const claims = await claimsOf(token)
      if (claims === null || (await directory.isSessionRevoked(claims.sessionId))) return null
      const user = await directory.userById(claims.userId)
      if (user === null || user.locked || claims.issuedAtMs < user.sessionsValidFromMs) return null
      return {
        sessionId: claims.sessionId,
        userId: user.id,
        email: user.email,
        createdAtMs: user.createdAtMs,
        expiresAtMs: claims.expiresAtSeconds * 1_000,
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
