import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** Use of something that no seed decides, from within a run. */
export class UnsealedError extends Error {
  override readonly name = 'UnsealedError'
}

/** The globals that no product code may touch in a run. They behave as ever while they are not sealed. */
export interface SealedGlobals {
  /**
   * From now on each use throws, after `onUse` heard of it (the code may swallow what is thrown). `onUse` names what was used.
   */
  seal(onUse: (name: string) => void): void
  unseal(): void
  /** Puts the original globals back for good. */
  remove(): void
}

type Callable = (...values: unknown[]) => unknown
type Holder = Record<string, unknown>

/** Functions of the real time, of chance and of the outside, by where they stand. */
const sealedFunctions: readonly (readonly [holder: object, path: string, names: readonly string[]])[] = [
  [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'fetch']],
  [Math, 'Math.', ['random']],
  [globalThis.performance, 'performance.', ['now']],
  [globalThis.crypto, 'crypto.', ['randomUUID', 'getRandomValues']],
  [nodeCrypto, 'crypto.', ['randomUUID', 'randomBytes', 'randomInt', 'randomFillSync']],
]

const sealedDate = (check: (name: string) => void): DateConstructor => {
  const { now: realNow } = globalThis.Date
  const now = (): number => {
    check('Date.now')
    return realNow()
  }
  return new Proxy(globalThis.Date, {
    apply: (target) => {
      check('Date()')
      return target()
    },
    construct: (target, values: unknown[], newTarget) => {
      if (values.length === 0) check('new Date()')
      return Reflect.construct(target, values, newTarget) as object
    },
    get: (target, name) => {
      // Taken, it is no answer yet: only a call is (the loader of the machines takes it along).
      if (name === 'now') return now
      return Reflect.get(target, name) as unknown
    },
  })
}

/**
 * Wraps the globals of real time, chance and network once; `seal` and `unseal` then cost nothing. What a module has taken from
 * `node:crypto` by name is wrapped too. `nextTick` and `queueMicrotask` stay: their order is decided by the code alone.
 */
export const wrapGlobals = (): SealedGlobals => {
  let onUse: ((name: string) => void) | null = null
  const check = (name: string): void => {
    if (onUse === null) return
    onUse(name)
    throw new UnsealedError(`${name} was used in a simulated run: its answer is decided by no seed`)
  }
  const undo: (() => void)[] = []
  const replace = (holder: object, name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(holder, name)
    Object.defineProperty(holder, name, {
      value,
      configurable: true,
      writable: true,
      enumerable: before?.enumerable ?? false,
    })
    undo.push(() => {
      if (before === undefined) Reflect.deleteProperty(holder, name)
      else Object.defineProperty(holder, name, before)
    })
  }

  for (const [holder, path, names] of sealedFunctions) {
    for (const name of names) {
      const original = (holder as Holder)[name] as Callable
      const wrapped = function (this: unknown, ...values: unknown[]): unknown {
        check(`${path}${name}`)
        return Reflect.apply(original, this ?? holder, values)
      }
      // What the original carries besides (setTimeout's promisified form, say) is reachable through the wrapper.
      replace(holder, name, Object.setPrototypeOf(wrapped, original))
    }
  }
  replace(globalThis, 'Date', sealedDate(check))
  syncBuiltinESMExports()

  return {
    seal: (hear) => {
      onUse = hear
    },
    unseal: () => {
      onUse = null
    },
    remove: () => {
      onUse = null
      for (const step of undo.reverse()) step()
      syncBuiltinESMExports()
    },
  }
}
