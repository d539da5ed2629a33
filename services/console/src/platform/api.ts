import type { BourseClient } from '@bourse/client/client.ts'
import type { components } from '@bourse/client/generated/schema.ts'

type Schemas = components['schemas']

/** Shapes of administration by their names in the API's document. */
export type Platform = Schemas['Platform']
export type PlatformPartition = Schemas['PlatformPartition']
export type PlatformShard = Schemas['PlatformShard']
export type AuditRecord = Schemas['AuditRecord']

/** A page of the audit, newest first. */
export interface AuditPage {
  readonly records: readonly AuditRecord[]
  readonly nextBefore: string | null
}

/** What the platform page reads. It changes nothing. Every call throws `BourseRefusal`. */
export interface PlatformApi {
  platform(signal?: AbortSignal): Promise<Platform>
  audit(before: string | null, signal?: AbortSignal): Promise<AuditPage>
}

/** Records of one page of the audit. */
export const AUDIT_PAGE = 50

/** Why these reads are made, as the audit keeps it. */
export const READ_REASON = 'the platform page of the console'

/** The page's reads, in the name of who looks. */
export const createPlatformApi = (client: BourseClient, who: string): PlatformApi => {
  const asked = (signal: AbortSignal | undefined) => ({
    headers: who === '' ? {} : { 'x-admin-user': who },
    ...(signal === undefined ? {} : { signal }),
  })
  return {
    platform: async (signal) => {
      const params = { query: { reason: READ_REASON } }
      return (await client.GET('/api/v1/admin/platform', { params, ...asked(signal) })).data.data
    },
    audit: async (before, signal) => {
      const params = { query: { limit: AUDIT_PAGE, ...(before === null ? {} : { before }) } }
      return (await client.GET('/api/v1/admin/audit', { params, ...asked(signal) })).data.data
    },
  }
}
