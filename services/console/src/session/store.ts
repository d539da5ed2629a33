/** A value that changes, as `useSyncExternalStore` reads it: the same snapshot until the next change. */
export interface Store<Value> {
  readonly getSnapshot: () => Value
  /** Calls `listener` after each change until the returned function is called. */
  readonly subscribe: (listener: () => void) => () => void
}

/** A store and the way to change it. */
export interface OwnStore<Value> extends Store<Value> {
  readonly set: (value: Value) => void
}

/** A store with a first value. Setting the same value again tells nobody. */
export const createStore = <Value>(first: Value): OwnStore<Value> => {
  let value = first
  const listeners = new Set<() => void>()
  return {
    getSnapshot: () => value,
    subscribe: (listener) => {
      // A wrapper of its own, so that the same function subscribed twice is two listeners.
      const own = (): void => listener()
      listeners.add(own)
      return () => {
        listeners.delete(own)
      }
    },
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
  }
}

/** A store for each key, made when it is first asked for. */
export const createStores = <Value>(first: (key: string) => Value) => {
  const stores = new Map<string, OwnStore<Value>>()
  return {
    of: (key: string): OwnStore<Value> => {
      const known = stores.get(key) ?? createStore(first(key))
      stores.set(key, known)
      return known
    },
    entries: (): IterableIterator<[string, OwnStore<Value>]> => stores.entries(),
  }
}
