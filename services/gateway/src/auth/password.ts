import { scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import type { Random } from '@bourse/common/ports/random.ts'
import { ApiError } from '../http/api-error.ts'

/** Hashes and checks passwords. Both wait for a free place; beyond the bound they are refused `UNAVAILABLE`. */
export interface Passwords {
  hash(password: string): Promise<string>
  /** Compares with a stored hash; null compares with a hash nobody has, so that an unknown user takes as long as a known one. */
  matches(password: string, stored: string | null): Promise<boolean>
}

/** Cost of new hashes. Old ones keep the parameters they were made with. */
export interface PasswordCost {
  /** log2 of scrypt's N. */
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** N = 2^15, r = 8: 32 MiB and some 60 ms for each guess. */
export const DEFAULT_PASSWORD_COST: PasswordCost = { logN: 15, r: 8, p: 1 }

const SALT_BYTES = 16
const HASH_BYTES = 32
const STORED = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/

const derive = (password: string, salt: Uint8Array, { logN, r, p }: PasswordCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const N = 2 ** logN
    const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r }
    // NFKC: the same password typed on two systems is the same bytes.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })

/** Lets `runningMax` tasks run at a time, `waitingMax` wait, and refuses the rest. */
const createTurnstile = (runningMax: number, waitingMax: number) => {
  let running = 0
  const waiting: (() => void)[] = []
  return async <Value>(task: () => Promise<Value>): Promise<Value> => {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax)
        throw new ApiError('UNAVAILABLE', 'too many sign-ins at this moment; try again in 2 s', 2)
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
    } else {
      running += 1
    }
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}

/** Passwords by scrypt, in the form `scrypt$logN$r$p$salt$hash` (base64url). */
export const createPasswords = (options: {
  readonly random: Random
  readonly cost: PasswordCost
  readonly runningMax: number
  readonly waitingMax: number
}): Passwords => {
  const { random, cost, runningMax, waitingMax } = options
  const turn = createTurnstile(runningMax, waitingMax)
  const write = (salt: Uint8Array, key: Uint8Array): string =>
    `scrypt$${cost.logN}$${cost.r}$${cost.p}$${Buffer.from(salt).toString('base64url')}$${Buffer.from(key).toString('base64url')}`
  const nobody = write(random.bytes(SALT_BYTES), random.bytes(HASH_BYTES))
  return {
    hash: (password) =>
      turn(async () => {
        const salt = random.bytes(SALT_BYTES)
        return write(salt, await derive(password, salt, cost))
      }),
    matches: (password, stored) =>
      turn(async () => {
        const [, logN, r, p, salt, key] = STORED.exec(stored ?? nobody) ?? []
        if (salt === undefined || key === undefined) throw new Error('a stored password hash has an unknown form')
        const found = await derive(password, Buffer.from(salt, 'base64url'), {
          logN: Number(logN),
          r: Number(r),
          p: Number(p),
        })
        return timingSafeEqual(found, Buffer.from(key, 'base64url')) && stored !== null
      }),
  }
}
