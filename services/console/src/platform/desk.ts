import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { createBourseClient } from '@bourse/client/client.ts'
import { createQueries } from '../session/queries.ts'
import type { Vault } from '../session/vault.ts'
import { createPlatformApi, type PlatformApi } from './api.ts'

/** What the open page shares. */
export interface PlatformDesk {
  readonly api: PlatformApi
  readonly queries: QueryClient
  /** In whose name the audit keeps the reads. */
  readonly who: string
}

/** The reads with a token, wherever it is kept. */
export const platformApiWith = (adminToken: () => string | null, who: string): PlatformApi =>
  createPlatformApi(createBourseClient({ baseUrl: '', adminToken }), who)

/** A page over an open vault. */
export const createPlatformDesk = (vault: Vault, who: string): PlatformDesk => ({
  api: platformApiWith(() => vault.secret(), who),
  queries: createQueries(vault),
  who,
})

/** The open page around its parts. */
export const PlatformContext = createContext<PlatformDesk | null>(null)

/** The open page. @throws outside of it: that is a bug */
export const usePlatform = (): PlatformDesk => {
  const desk = useContext(PlatformContext)
  if (desk === null) throw new Error('no open platform page around this part')
  return desk
}
