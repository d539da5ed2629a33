import type { BourseClient } from '@bourse/client/client.ts'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { User } from '@bourse/client/shapes.ts'
import type { BourseStream } from '@bourse/client/stream.ts'
import type { DeskClock } from './clock.ts'
import { failureOf, type Failure } from './loaded.ts'
import type { OtherTabs } from './other-tabs.ts'
import { createStore } from './store.ts'

/**
 * Who is at the desk. `unknown` until the server said, with why it did not say so far; `expired`: was signed in, and the session
 * ended without being asked to.
 */
export type Me =
  | { readonly status: 'unknown'; readonly user: null; readonly failure: Failure | null }
  | { readonly status: 'anonymous' | 'expired'; readonly user: null }
  | { readonly status: 'signed-in'; readonly user: User }

/** What a session is made of. */
export interface SessionDeps {
  readonly client: BourseClient
  readonly stream: Pick<BourseStream, 'reconnect'>
  readonly clock: DeskClock
  /** Whoever signs in or out in one of them does so here. Default: there are none. */
  readonly otherTabs?: OtherTabs
}

const ANONYMOUS: Me = { status: 'anonymous', user: null }
/** As long as it is not known who is signed in. */
const ASK_AGAIN_MS = 2_000

/** Who is at the desk, with what coming and going sets off. */
const createPerson = (stream: SessionDeps['stream'], begin: () => void, end: () => void) => {
  const me = createStore<Me>({ status: 'unknown', user: null, failure: null })
  /** A desk that was left begins nothing any more, whatever is answered to it then. */
  let stopped = false
  return {
    me,
    entered: (user: User): void => {
      if (stopped) return
      me.set({ status: 'signed-in', user })
      begin()
      // The connection carries the session it was opened with.
      stream.reconnect()
    },
    left: (next: Me): void => {
      if (stopped) return
      const was = me.getSnapshot().status
      me.set(next)
      end()
      if (was === 'signed-in') stream.reconnect()
    },
    isUnknown: (): boolean => !stopped && me.getSnapshot().status === 'unknown',
    unanswered: (failure: Failure): void => {
      if (!stopped && me.getSnapshot().status === 'unknown') me.set({ status: 'unknown', user: null, failure })
    },
    stop: (): void => {
      stopped = true
    },
  }
}

/** Who is signed in, and coming and going. */
export const createSession = (
  { client, stream, clock, otherTabs }: SessionDeps,
  begin: () => void,
  end: () => void,
) => {
  const { me, entered, left, ...person } = createPerson(stream, begin, end)
  const told = (): void => otherTabs?.tell()
  /** The cookie may be another's by now: what is shown and traded here must be of who it names. */
  const check = async (): Promise<void> => {
    const before = me.getSnapshot()
    if (before.status === 'unknown') return
    const isSame = (): boolean => me.getSnapshot() === before
    try {
      const { data: user } = (await client.GET('/api/v1/auth/me')).data
      if (isSame() && before.user?.userId !== user.userId) entered(user)
    } catch (error) {
      // Without an answer nothing is known to have changed; the account's own reads find out.
      if (failureOf(error).code !== 'UNAUTHENTICATED') return
      if (isSame() && before.status === 'signed-in') left({ status: 'expired', user: null })
    }
  }
  const ask = async (): Promise<void> => {
    try {
      entered((await client.GET('/api/v1/auth/me')).data.data)
    } catch (error) {
      if (error instanceof BourseRefusal && error.code === 'UNAUTHENTICATED') {
        left(ANONYMOUS)
        return
      }
      // Without an answer nothing is known, and it is asked again; what is no refusal is a bug.
      const failure = failureOf(error)
      person.unanswered(failure)
      clock.schedule(Math.max(ASK_AGAIN_MS, (failure.retryAfterSeconds ?? 0) * 1_000), () => {
        if (person.isUnknown()) void ask()
      })
    }
  }
  const unwatch = otherTabs?.onTold(() => void check())
  return {
    me,
    ask,
    stop: (): void => {
      person.stop()
      unwatch?.()
    },
    expired: () => {
      if (me.getSnapshot().status === 'signed-in') left({ status: 'expired', user: null })
    },
    signUp: async (email: string, password: string): Promise<void> => {
      entered((await client.POST('/api/v1/auth/signup', { body: { email, password } })).data.data)
      told()
    },
    signIn: async (email: string, password: string): Promise<void> => {
      entered((await client.POST('/api/v1/auth/signin', { body: { email, password } })).data.data)
      told()
    },
    signOut: async (everywhere: boolean): Promise<void> => {
      await client.POST('/api/v1/auth/logout', everywhere ? { params: { query: { all: true } } } : {})
      left(ANONYMOUS)
      told()
    },
  }
}
