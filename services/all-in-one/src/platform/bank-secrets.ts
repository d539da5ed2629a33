import type { Config } from '@bourse/common/config/read.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import { putBankKey } from '@bourse/common/process/bank-keys.ts'
import { keptSecret } from '@bourse/common/process/secrets.ts'
import type { DataFolder } from './data-folder.ts'

/** A key that was made at this start: printed once, never logged. */
export interface MadeKey {
  readonly bank: string
  readonly apiKey: string
}

/**
 * Puts each bank's API key (as its hash) into the directory and gives its webhook secret. Keys come from the
 * configuration, else, in
 * development, from the data folder, where they are made once. A key of the bank that is no longer configured is
 * removed.
 */
export const prepareBankSecrets = async (deps: {
  readonly config: Config
  readonly folder: DataFolder
  readonly directory: Directory
  readonly random: Random
  readonly clock: Clock
  readonly banks: readonly string[]
}): Promise<{ readonly made: readonly MadeKey[]; readonly webhookSecrets: ReadonlyMap<string, string> }> => {
  const made: MadeKey[] = []
  const webhookSecrets = new Map<string, string>()
  for (const bank of deps.banks) {
    const configured = deps.config.bankSecret(bank, 'API_KEY')?.reveal()
    const key =
      configured === undefined
        ? await keptSecret(deps.folder, `bank-${bank}-api-key`, deps.random)
        : { value: configured, made: false }
    if (key.made) made.push({ bank, apiKey: key.value })
    await putBankKey(deps, bank, key.value)
    const secret = deps.config.bankSecret(bank, 'WEBHOOK_SECRET')?.reveal()
    webhookSecrets.set(
      bank,
      secret ?? (await keptSecret(deps.folder, `bank-${bank}-webhook-secret`, deps.random)).value,
    )
  }
  return { made, webhookSecrets }
}
