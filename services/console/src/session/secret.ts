import { createStore, type Store } from './store.ts'

/** A secret that lives in this tab's memory only: it is in no storage, no address and no message, and gone with the tab. */
export interface Secret {
  /** Whether there is one; the secret itself is in no snapshot. */
  readonly isSet: Store<boolean>
  /** What a client asks at each call. */
  readonly get: () => string | null
  readonly set: (secret: string) => void
  readonly clear: () => void
}

/** A secret not given yet. */
export const createSecret = (): Secret => {
  let value: string | null = null
  const isSet = createStore(false)
  return {
    isSet,
    get: () => value,
    set: (secret) => {
      value = secret === '' ? null : secret
      isSet.set(value !== null)
    },
    clear: () => {
      value = null
      isSet.set(false)
    },
  }
}
