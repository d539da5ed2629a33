import type { Clock } from '@bourse/common/ports/clock.ts'
import type { BankSpec } from '@bourse/common/resources/bank.ts'

/** Asks a URL; any answer of HTTP resolves. As `fetch` does it. */
export type Probe = (
  url: string,
  options: { readonly method: 'HEAD'; readonly redirect: 'manual'; readonly signal: AbortSignal },
) => Promise<{ readonly status: number }>

/** Least time between two questions to one callback. */
export const PROBE_INTERVAL_MS = 60_000
/** Longest that a question waits, whatever the spec says of calls: others wait for the worker. */
export const PROBE_TIMEOUT_MS_MAX = 10_000

/** Whether a bank's server answered when it was asked last. */
export interface CallbackLook {
  readonly url: string
  readonly atMs: number
  readonly isReachable: boolean
  /** What became of it, without the URL. */
  readonly words: string
}

/** Looks at the callbacks of banks. */
export interface Callbacks {
  /** The last look, not older than the interval; a new one when it is older, or when the URL changed. */
  look(bank: string, callback: BankSpec['callback'], signal: AbortSignal): Promise<CallbackLook>
  forget(bank: string): void
}

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'no answer'
}

/** Makes the looks. */
export const createCallbacks = (deps: { readonly probe: Probe; readonly clock: Clock }): Callbacks => {
  const { probe, clock } = deps
  const looks = new Map<string, CallbackLook>()

  const ask = async (
    { url, timeoutMs }: BankSpec['callback'],
    signal: AbortSignal,
  ): Promise<Pick<CallbackLook, 'isReachable' | 'words'>> => {
    const waitMs = Math.min(timeoutMs, PROBE_TIMEOUT_MS_MAX)
    const ended = new AbortController()
    const late = clock.sleep(waitMs, ended.signal).then(
      () => ({ isReachable: false, words: `no answer within ${waitMs} ms` }),
      // The question ended before its time; nobody looks at this any more.
      () => ({ isReachable: false, words: 'no answer' }),
    )
    const asked = probe(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([signal, ended.signal]),
    }).then(
      ({ status }) => ({ isReachable: true, words: `answers (HTTP ${status})` }),
      (error: unknown) => ({ isReachable: false, words: `does not answer (${codeOf(error)})` }),
    )
    try {
      return await Promise.race([asked, late])
    } finally {
      ended.abort()
    }
  }

  return {
    look: async (bank, callback, signal) => {
      const nowMs = clock.monotonicMs()
      const known = looks.get(bank)
      if (known !== undefined && known.url === callback.url && nowMs - known.atMs < PROBE_INTERVAL_MS) return known
      const look = { url: callback.url, atMs: nowMs, ...(await ask(callback, signal)) }
      looks.set(bank, look)
      return look
    },
    forget: (bank) => void looks.delete(bank),
  }
}
