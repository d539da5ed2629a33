import type { KubeObject, Store } from './types.ts'

/** Values of an object under an index. */
export type IndexFunction<Type extends KubeObject> = (object: Type) => readonly string[]

/** A store that its reflector writes. */
export interface WritableStore<Type extends KubeObject> extends Store<Type> {
  /** Gives what was there under the name. */
  put(object: Type): Type | undefined
  /** Gives what was there under the name. */
  remove(name: string): Type | undefined
  markSynced(): void
  /** Adds an index over what is there and what will come; the same name again replaces. */
  addIndex(name: string, valuesOf: IndexFunction<Type>): void
}

interface Index<Type extends KubeObject> {
  readonly valuesOf: IndexFunction<Type>
  readonly namesByValue: Map<string, Set<string>>
}

const addTo = <Type extends KubeObject>({ valuesOf, namesByValue }: Index<Type>, object: Type): void => {
  for (const value of valuesOf(object)) {
    const names = namesByValue.get(value)
    if (names === undefined) namesByValue.set(value, new Set([object.metadata.name]))
    else names.add(object.metadata.name)
  }
}

const takeFrom = <Type extends KubeObject>({ valuesOf, namesByValue }: Index<Type>, object: Type): void => {
  for (const value of valuesOf(object)) {
    const names = namesByValue.get(value)
    names?.delete(object.metadata.name)
    if (names?.size === 0) namesByValue.delete(value)
  }
}

/** Makes an empty store. Objects in it are shared: whoever reads them does not change them. */
export const createStore = <Type extends KubeObject>(): WritableStore<Type> => {
  const objects = new Map<string, Type>()
  const indexes = new Map<string, Index<Type>>()
  let hasSynced = false
  const remove = (name: string): Type | undefined => {
    const before = objects.get(name)
    if (before === undefined) return undefined
    for (const index of indexes.values()) takeFrom(index, before)
    objects.delete(name)
    return before
  }
  return {
    get: (name) => objects.get(name),
    list: () => [...objects.values()],
    by: (index, value) => {
      const known = indexes.get(index)
      if (known === undefined) throw new Error(`the store has no index ${index}`)
      return [...(known.namesByValue.get(value) ?? [])].map((name) => objects.get(name)!)
    },
    get hasSynced() {
      return hasSynced
    },
    put: (object) => {
      const before = remove(object.metadata.name)
      objects.set(object.metadata.name, object)
      for (const index of indexes.values()) addTo(index, object)
      return before
    },
    remove,
    markSynced: () => void (hasSynced = true),
    addIndex: (name, valuesOf) => {
      const index: Index<Type> = { valuesOf, namesByValue: new Map() }
      for (const object of objects.values()) addTo(index, object)
      indexes.set(name, index)
    },
  }
}
