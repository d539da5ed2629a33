import { createSecret } from './secret.ts'
import { createStore, type Store } from './store.ts'

/** Why a vault is locked: nothing was given yet, a person locked it, nobody touched the page, or the platform refused. */
export type LockReason = 'new' | 'asked' | 'idle' | 'refused'

/** What a vault shows of itself; never the secret. */
export type VaultState =
  | { readonly isOpen: false; readonly reason: LockReason }
  /** `opening` tells one opening from the next, so that what was read with one secret is not shown with another. */
  | { readonly isOpen: true; readonly opening: number }

/**
 * Keeps one secret (a bank's API key, the administrator's token) in a variable of this tab and nowhere else: a reload forgets
 * it. It is dropped when asked, and when nobody touches the page for a while.
 */
export interface Vault extends Store<VaultState> {
  open(secret: string): void
  lock(reason: Exclude<LockReason, 'new'>): void
  /** Somebody is there: the time starts again. */
  touch(): void
  /** The secret, or null. A vault whose time is over locks when it is asked, even if no timer ran: a laptop may have slept. */
  secret(): string | null
  /**
   * What was made with the secret and must go with it (data that was read, what is under way): made once in an opening, so that a
   * page that is left and opened again finds it; dropped at the lock.
   */
  keep<Value>(make: () => Value): Value
}

/** What a vault is made of. */
export interface VaultDeps {
  /** Wall clock, ms: it goes on while the machine sleeps. */
  readonly nowMs: () => number
  /** Runs a task once after so many ms; the answer takes it back. */
  readonly schedule: (delayMs: number, task: () => void) => () => void
  readonly idleMs?: number
}

/** Without a touch for this long a secret is dropped. */
export const IDLE_MS = 900_000

/** A locked vault. */
export const createVault = ({ nowMs, schedule, idleMs = IDLE_MS }: VaultDeps): Vault => {
  const held = createSecret()
  const state = createStore<VaultState>({ isOpen: false, reason: 'new' })
  let touchedMs = 0
  let openings = 0
  let kept: { readonly value: unknown } | null = null
  let cancel: () => void = () => undefined

  const lock = (reason: LockReason): void => {
    cancel()
    held.clear()
    kept = null
    if (state.getSnapshot().isOpen) state.set({ isOpen: false, reason })
  }

  /** One timer for as long as it is open: a touch moves a number, not a timer. */
  const watch = (delayMs: number): void => {
    cancel = schedule(delayMs, () => {
      const leftMs = touchedMs + idleMs - nowMs()
      if (leftMs <= 0) lock('idle')
      else watch(leftMs)
    })
  }

  /** A clock that was put back must not lengthen the time: it then counts from the moment it shows. */
  const isOver = (): boolean => {
    const now = nowMs()
    touchedMs = Math.min(touchedMs, now)
    return now - touchedMs >= idleMs
  }

  return {
    subscribe: state.subscribe,
    getSnapshot: state.getSnapshot,
    open: (given) => {
      cancel()
      held.set(given)
      kept = null
      touchedMs = nowMs()
      openings += 1
      watch(idleMs)
      state.set({ isOpen: true, opening: openings })
    },
    lock,
    touch: () => {
      if (held.get() === null) return
      if (isOver()) lock('idle')
      else touchedMs = nowMs()
    },
    secret: () => {
      if (held.get() !== null && isOver()) lock('idle')
      return held.get()
    },
    keep: <Value>(make: () => Value): Value => {
      if (!state.getSnapshot().isOpen) return make()
      kept ??= { value: make() }
      // One page owns a vault, so that what it finds is what it made.
      return kept.value as Value
    },
  }
}

/** The secrets a tab can hold at a time. */
export interface Vaults {
  readonly bank: Vault
  readonly platform: Vault
}

/** Both vaults by the browser's clock and timers. */
export const createBrowserVaults = (): Vaults => {
  const deps: VaultDeps = {
    nowMs: () => Date.now(),
    schedule: (delayMs, task) => {
      const timer = setTimeout(task, delayMs)
      return () => {
        clearTimeout(timer)
      }
    },
  }
  return { bank: createVault(deps), platform: createVault(deps) }
}
