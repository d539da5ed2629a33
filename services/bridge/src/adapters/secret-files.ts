import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import { SECRETS_MAX } from './bank-http.ts'

/** Largest file of secrets, bytes. */
export const SECRET_FILE_BYTES_MAX = 65_536
/** Banks whose secrets are remembered; beyond it the oldest is read again. */
export const BANKS_REMEMBERED_MAX = 1_000

interface Known {
  /** What the file looked like when it was read; null: there was none to be read. */
  readonly version: string | null
  readonly secrets: readonly string[] | null
}

/** Names of banks as manifests allow them: no other becomes part of a path. */
const BANK = /^[a-z0-9][-a-z0-9]{0,62}$/u

const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, SECRETS_MAX)

/**
 * Webhook secrets in files of a folder, named as the banks: one secret a line, the newest first. A file is read again when it
 * changed. Null where there is none that can be read, or no secret in it; that is told once, until there is one. A secret is
 * never told to anybody.
 */
export const createSecretFiles = (deps: {
  readonly folder: string
  readonly logger: Pick<Logger, 'warn' | 'info'>
}): ((bank: string) => Promise<readonly string[] | null>) => {
  const known = new Map<string, Known>()

  const keep = (bank: string, now: Known): readonly string[] | null => {
    const before = known.get(bank)
    known.delete(bank)
    known.set(bank, now)
    const oldest = known.keys().next().value
    if (known.size > BANKS_REMEMBERED_MAX && oldest !== undefined) known.delete(oldest)
    if (now.secrets === null && before?.secrets !== null)
      deps.logger.warn({ bank }, 'a bank has no file of webhook secrets: its events wait for one')
    else if (now.secrets !== null && before?.version !== now.version)
      deps.logger.info({ bank, secrets: now.secrets.length }, 'the webhook secrets of a bank were read')
    return now.secrets
  }
  const read = async (bank: string): Promise<readonly string[] | null> => {
    const path = join(deps.folder, bank)
    const { mtimeMs, ino, size } = await stat(path)
    const version = [mtimeMs, ino, size].join()
    const before = known.get(bank)
    if (before?.version === version) return before.secrets
    const secrets = size > SECRET_FILE_BYTES_MAX ? [] : linesOf(await readFile(path, 'utf8'))
    return keep(bank, { version, secrets: secrets.length === 0 ? null : secrets })
  }
  return async (bank) => {
    try {
      return BANK.test(bank) ? await read(bank) : null
    } catch {
      // Whatever keeps it from being read, it is looked for again with the next call; the warning says that it is missing.
      return keep(bank, { version: null, secrets: null })
    }
  }
}
