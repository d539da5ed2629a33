import { createHmac } from 'node:crypto'
import type { BankCallbacks } from './bank-callbacks.ts'
import { createHttpCaller, fieldsOf, type HttpDeps } from './http-call.ts'

/**
 * What the adapter needs. `webhookSecrets` gives a bank's current secrets, the newest first: several while they are being
 * changed, null while there is no saying which they are. Then nothing is delivered, to be tried again.
 */
export interface BankHttpDeps extends HttpDeps {
  readonly webhookSecrets: (bank: string) => readonly string[] | null | Promise<readonly string[] | null>
}

/** `t=<unix>,v1=<hex hmac-sha256 of "t.body">`, one `v1` for each secret. */
export const signatureOf = (unixSeconds: number, body: string, secrets: readonly string[]): string => {
  const signatures = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex'),
  )
  return [`t=${unixSeconds}`, ...signatures.map((signature) => `v1=${signature}`)].join(',')
}

/** Secrets that sign at most. */
export const SECRETS_MAX = 4

/** Makes the adapter to banks that speak the contract's callbacks. */
export const createBankHttp = (deps: BankHttpDeps): BankCallbacks => {
  const call = createHttpCaller(deps)
  return {
    authorize: async ({ callbackUrl, timeoutMs }, authorization, signal) => {
      const body = JSON.stringify(authorization)
      const result = await call({ url: `${callbackUrl}/authorizations`, body, timeoutMs, signal })
      if (result.kind === 'lost' || result.status !== 200) return 'unreachable'
      const { acknowledged } = fieldsOf(result.json)
      if (acknowledged === true) return 'acknowledged'
      return acknowledged === false ? 'declined' : 'unreachable'
    },
    reverse: async ({ callbackUrl, timeoutMs }, transactionId, signal) => {
      const body = JSON.stringify({ transactionId })
      const result = await call({ url: `${callbackUrl}/reversals`, body, timeoutMs, signal })
      return result.kind === 'answer' && result.status === 200 && fieldsOf(result.json)['acknowledged'] === true
    },
    deliver: async ({ callbackUrl, timeoutMs }, bank, body, signal) => {
      const unixSeconds = Math.floor(deps.clock.nowMs() / 1_000)
      const secrets = await deps.webhookSecrets(bank)
      if (secrets === null) return false
      const headers = { 'x-bourse-signature': signatureOf(unixSeconds, body, secrets.slice(0, SECRETS_MAX)) }
      const result = await call({ url: `${callbackUrl}/webhooks`, body, headers, timeoutMs, signal })
      return result.kind === 'answer' && result.status >= 200 && result.status < 300
    },
  }
}
