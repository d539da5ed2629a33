import { join } from 'node:path'
import type { Config } from '@bourse/common/config/read.ts'
import { bankVariableName, type BankVariable } from '@bourse/common/config/variables.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import { keptSecret, openSecretsFolder } from '@bourse/common/process/secrets.ts'
import type { MadeKey } from '../platform/bank-secrets.ts'

/** Secrets as the children get them: variables that name files, for what the launcher's own environment does not give. */
export interface LaunchSecrets {
  readonly env: Readonly<Record<string, string>>
  readonly controlToken: string
  /** Webhook secrets of all banks, for the simulated one. */
  readonly webhookSecrets: readonly string[]
  readonly madeKeys: readonly MadeKey[]
  readonly adminTokenFile: string | null
}

/**
 * Makes the secrets that the configuration does not give, once, into the data folder's `secrets`. In production all are given but
 * the one that launcher and children share among themselves.
 */
export const prepareSecrets = async (
  config: Config,
  banks: readonly string[],
  random: Random,
): Promise<LaunchSecrets> => {
  const { secrets } = await openSecretsFolder(config.dataDir)
  const env: Record<string, string> = {}
  const madeKeys: MadeKey[] = []
  const kept = async (name: string, variable: string) => {
    env[`${variable}_FILE`] = join(secrets, name)
    return keptSecret({ secrets }, name, random)
  }
  if (config.jwtSecret === null) await kept('jwt-secret', 'AUTH_JWT_SECRET')
  if (config.adminToken === null) await kept('admin-token', 'BOURSE_ADMIN_TOKEN')
  const controlToken =
    config.cluster.controlToken?.reveal() ?? (await kept('control-token', 'BOURSE_CONTROL_TOKEN')).value
  const bankSecret = async (bank: string, variable: BankVariable, name: string): Promise<string> => {
    const given = config.bankSecret(bank, variable)
    if (given !== null) return given.reveal()
    const { value, made } = await kept(`bank-${bank}-${name}`, bankVariableName(bank, variable))
    if (made && variable === 'API_KEY') madeKeys.push({ bank, apiKey: value })
    return value
  }
  const webhookSecrets: string[] = []
  for (const bank of banks) {
    await bankSecret(bank, 'API_KEY', 'api-key')
    webhookSecrets.push(await bankSecret(bank, 'WEBHOOK_SECRET', 'webhook-secret'))
  }
  const adminTokenFile = config.adminToken === null ? join(config.dataDir, 'secrets', 'admin-token') : null
  return { env, controlToken, webhookSecrets, madeKeys, adminTokenFile }
}
