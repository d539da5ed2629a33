import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { BankKeyRecord, Directory } from '@bourse/common/ports/directory.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { GatewayLimits } from '../config.ts'
import { ApiError } from '../http/api-error.ts'
import { addressSetOf, type AddressSet } from '../http/address.ts'
import type { RateGate } from '../http/rate-gate.ts'
import { AuthenticationError, BankSuspendedError } from './errors.ts'

/** Finds the bank of an API key. */
export interface BankKeys {
  /**
   * @throws {ApiError} `UNAUTHENTICATED` for a missing, unknown or expired key (per-address limit:
   * `RATE_LIMITED`), `FORBIDDEN` from an
   * address outside the bank's ranges, `BANK_SUSPENDED`
   */
  bankOf(apiKey: string, address: string): Promise<Bank>
  /** What is kept of a key; null when it is not, or not any more, valid. For the call whose key `bankOf` has let pass. */
  keyOf(apiKey: string): Promise<BankKeyRecord | null>
}

/** How old the list of keys may be: a removed key works no longer than this. */
const KEYS_AGE_MS_MAX = 1_000
const KEY_LENGTH_MAX = 512

const sameHash = (known: string, given: Buffer): boolean => {
  const bytes = Buffer.from(known, 'hex')
  return bytes.length === given.length && timingSafeEqual(bytes, given)
}

/** Keys by the SHA-256 that the directory keeps, compared in constant time. */
export const createBankKeys = (options: {
  readonly directory: Directory
  readonly banks: () => readonly Bank[]
  readonly clock: Clock
  readonly rate: RateGate
  readonly limits: GatewayLimits
}): BankKeys => {
  const { directory, banks, clock, rate, limits } = options
  let known: { readonly atMs: number; readonly keys: readonly BankKeyRecord[] } | null = null
  const ranges = new WeakMap<readonly string[], AddressSet>()

  const load = async (): Promise<readonly BankKeyRecord[]> => {
    known = { atMs: clock.monotonicMs(), keys: await directory.bankKeys() }
    return known.keys
  }
  const find = (keys: readonly BankKeyRecord[], hash: Buffer): BankKeyRecord | undefined => {
    const nowMs = clock.nowMs()
    // Every key is looked at, whether one was found or not.
    return keys
      .filter((key) => sameHash(key.keyHash, hash))
      .find((key) => key.expiresAtMs === null || key.expiresAtMs > nowMs)
  }
  const within = (cidrs: readonly string[], address: string): boolean => {
    if (cidrs.length === 0) return true
    const set = ranges.get(cidrs) ?? addressSetOf(cidrs)
    ranges.set(cidrs, set)
    return set(address)
  }
  const hashOf = (apiKey: string): Buffer | null =>
    apiKey === '' || apiKey.length > KEY_LENGTH_MAX ? null : createHash('sha256').update(apiKey, 'utf8').digest()
  const recordOf = async (apiKey: string, address: string): Promise<BankKeyRecord | undefined> => {
    const hash = hashOf(apiKey)
    const fresh = known !== null && clock.monotonicMs() - known.atMs < KEYS_AGE_MS_MAX
    const record = hash === null ? undefined : find(fresh && known !== null ? known.keys : await load(), hash)
    if (record !== undefined) return record
    // Paid before the directory is asked again: guessing keys costs the guesser, not us.
    await rate(`failed:${address}`, limits.failedKeysPerAddress)
    return fresh && hash !== null ? find(await load(), hash) : undefined
  }

  return {
    keyOf: async (apiKey) => {
      const hash = hashOf(apiKey)
      return hash === null ? null : (find(known?.keys ?? (await load()), hash) ?? null)
    },
    bankOf: async (apiKey, address) => {
      const record = await recordOf(apiKey, address)
      const bank = record === undefined ? undefined : banks().find(({ name }) => name === record.bank)
      if (bank === undefined) {
        throw new AuthenticationError(
          'UNAUTHENTICATED',
          'the API key is missing, unknown or expired; send a valid one in x-api-key',
        )
      }
      if (!within(bank.spec.allowedCidrs, address))
        throw new ApiError('FORBIDDEN', `calls from ${address} are not allowed; see the bank's allowedCidrs`)
      if (bank.spec.state === 'Suspended')
        throw new BankSuspendedError('BANK_SUSPENDED', 'the bank is suspended; ask the platform')
      return bank
    },
  }
}
