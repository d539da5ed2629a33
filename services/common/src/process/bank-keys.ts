import { createHash } from 'node:crypto'
import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'

/**
 * Puts a bank's API key, as its hash, into the directory. A key of the bank that is no longer configured is removed; one that is
 * there already keeps the moment since which it is known, however often a process starts with it. Processes that are given the
 * same key may do it side by side.
 */
export const putBankKey = async (
  deps: { readonly directory: Directory; readonly clock: Clock },
  bank: string,
  apiKey: string,
): Promise<void> => {
  const { directory, clock } = deps
  const keyHash = createHash('sha256').update(apiKey).digest('hex')
  let createdAtMs = clock.nowMs()
  for (const old of await directory.bankKeys()) {
    if (old.bank !== bank) continue
    if (old.keyHash === keyHash) createdAtMs = old.createdAtMs
    else await directory.removeBankKey(old.keyHash)
  }
  await directory.putBankKey({ bank, keyHash, createdAtMs, expiresAtMs: null })
}
