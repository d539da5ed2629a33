import { QueryCache, QueryClient } from '@tanstack/react-query'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { Vault } from './vault.ts'

/** What a page shows of a call that did not succeed. */
export interface ShownRefusal {
  readonly code: string
  readonly message: string
  readonly retryAfterSeconds: number | null
  readonly requestId: string | null
}

/** The refusal behind what a call threw. Whatever else was thrown is a fault of this console, and is called that. */
export const refusalOf = (error: unknown): ShownRefusal => {
  if (error instanceof BourseRefusal) {
    const { code, message, retryAfterSeconds, requestId } = error
    return { code, message, retryAfterSeconds, requestId }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'CONSOLE_FAULT', message, retryAfterSeconds: null, requestId: null }
}

/** Reads that nobody answered are asked for again; refusals stay what they are. */
const isWorthRepeating = (failures: number, error: Error): boolean =>
  failures < 2 && error instanceof BourseRefusal && (error.isUnknown || error.code === 'UNAVAILABLE')

/** What was read with a vault's secret. A secret that the platform refuses locks the vault. */
export const createQueries = (vault: Vault): QueryClient =>
  new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof BourseRefusal && error.code === 'UNAUTHENTICATED') vault.lock('refused')
      },
    }),
    defaultOptions: { queries: { retry: isWorthRepeating, staleTime: 2_000 } },
  })
