/**
 * One thing a trader wants done, from the press of a button to its answer. It has a key of its own: when the answer is lost,
 * the very same request is asked for again under the same key, so it happens once or not at all, never twice.
 */
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { createStore, type Store } from '../session/store.ts'

/** Why something was refused, as the server or the client said it. */
export interface Refused {
  readonly code: string
  readonly message: string
  readonly retryAfterSeconds: number | null
}

/** What a call threw, as a refusal. What is no answer of the API is a fault of this console, and is shown as one. */
export const refusedOf = (error: unknown): Refused => {
  if (error instanceof BourseRefusal) {
    const { code, message, retryAfterSeconds } = error
    return { code, message, retryAfterSeconds }
  }
  return {
    code: 'CONSOLE_FAULT',
    message: error instanceof Error ? error.message : String(error),
    retryAfterSeconds: null,
  }
}

/** Where an intent is. */
export type IntentState<Answer> =
  | { readonly kind: 'idle' }
  /** Sent; `slow` once it takes longer than usual. */
  | { readonly kind: 'sending'; readonly slow: boolean }
  /** No answer came: it is being asked for again with the same key. */
  | { readonly kind: 'asking-again'; readonly times: number }
  /** Still no answer: only asking again, or looking at the open trades, tells. */
  | { readonly kind: 'unknown'; readonly refused: Refused }
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refused: Refused }

/** An intent of one kind: at most one of it is under way. */
export interface Intent<Input, Answer> {
  readonly state: Store<IntentState<Answer>>
  /** What the state is of; null when idle. */
  asked(): Input | null
  /** Begins, under a new key. Nothing happens while one is under way or its outcome is unknown. */
  submit(input: Input): Promise<void>
  /** Asks for the outcome that is unknown, with the same request and the same key. */
  again(): Promise<void>
  /** Forgets what is shown; an outcome that is unknown is not asked for any more. */
  dismiss(): void
  /** Forgets all of it, also what is under way: whoever sits here now must not send what another person asked for. */
  forget(): void
}

/** What an intent is made of. */
export interface IntentOptions<Input, Answer> {
  /** `signal` ends the sending, and the repeats that belong to it. */
  readonly send: (input: Input, key: string, signal: AbortSignal) => Promise<Answer>
  readonly makeKey: () => string
  /** Runs `task` after `delayMs`; the answer takes it back. */
  readonly schedule: (delayMs: number, task: () => void) => () => void
}

/** After these nobody knows whether the work was done. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'UNREADABLE',
  'UNAVAILABLE',
  'REQUEST_TIMEOUT',
  'ENGINE_FAULT',
  'INTERNAL_ERROR',
])

/**
 * These refuse the question and nothing is recorded under the key (contract: 401, 403, 429). Once an answer was lost they say
 * nothing about what was asked first: it may have been done.
 */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'])

const SLOW_MS = 1_500
const FIRST_WAIT_MS = 1_000
const WAIT_MS_MAX = 5_000
/** Some 30 s of asking: later a price may be far from the one that was looked at, so a person decides. */
const ASKS_MAX = 8

const isUnderWay = (state: IntentState<unknown>): boolean =>
  state.kind === 'sending' || state.kind === 'asking-again' || state.kind === 'unknown'

/** Whether a button for this intent must wait. */
export const isBusy = (state: IntentState<unknown>): boolean =>
  state.kind === 'sending' || state.kind === 'asking-again'

interface Request<Input> {
  readonly input: Input
  readonly key: string
  /** An answer to it was lost: it may have been done. */
  isDoubtful: boolean
  readonly ended: AbortController
}

/** An intent; its first state is idle. */
export const createIntent = <Input, Answer>(options: IntentOptions<Input, Answer>): Intent<Input, Answer> => {
  const { send, makeKey, schedule } = options
  const state = createStore<IntentState<Answer>>({ kind: 'idle' })
  let wanted: Request<Input> | null = null

  const wait = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      schedule(delayMs, resolve)
    })

  /** What a refusal makes of a request: its end, or null for asking again. */
  const endOf = (request: Request<Input>, refused: Refused, times: number): IntentState<Answer> | null => {
    const isOpen = UNKNOWN.has(refused.code) || (request.isDoubtful && SAYS_NOTHING.has(refused.code))
    if (!isOpen) return { kind: 'refused', refused }
    request.isDoubtful = true
    // Asking on without a session is no use: a person has to sign in.
    const isForPerson = refused.code === 'UNAUTHENTICATED' || refused.code === 'FORBIDDEN'
    return times > ASKS_MAX || isForPerson ? { kind: 'unknown', refused } : null
  }

  /** Asks until there is an answer that says something, or it has been asked often enough. */
  const ask = async (request: Request<Input>): Promise<void> => {
    const isWanted = (): boolean => wanted === request
    for (let times = 1; ; times++) {
      try {
        const answer = await send(request.input, request.key, request.ended.signal)
        if (isWanted()) state.set({ kind: 'done', answer })
        return
      } catch (error) {
        if (!isWanted()) return
        const refused = refusedOf(error)
        const end = endOf(request, refused, times)
        if (end !== null) {
          state.set(end)
          return
        }
        state.set({ kind: 'asking-again', times })
        const leastMs = (refused.retryAfterSeconds ?? 0) * 1_000
        await wait(Math.max(leastMs, Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * times)))
        if (!isWanted()) return
      }
    }
  }

  return {
    state,
    asked: () => wanted?.input ?? null,
    submit: async (input) => {
      if (isUnderWay(state.getSnapshot())) return
      const request = { input, key: makeKey(), isDoubtful: false, ended: new AbortController() }
      wanted = request
      state.set({ kind: 'sending', slow: false })
      const stopSlow = schedule(SLOW_MS, () => {
        if (wanted === request && state.getSnapshot().kind === 'sending') state.set({ kind: 'sending', slow: true })
      })
      await ask(request)
      stopSlow()
    },
    again: async () => {
      if (wanted === null || state.getSnapshot().kind !== 'unknown') return
      state.set({ kind: 'asking-again', times: 1 })
      await ask(wanted)
    },
    dismiss: () => {
      if (isBusy(state.getSnapshot())) return
      wanted = null
      state.set({ kind: 'idle' })
    },
    forget: () => {
      wanted?.ended.abort(new Error('what was asked for was forgotten'))
      wanted = null
      state.set({ kind: 'idle' })
    },
  }
}
