import { useQuery, type QueryClient, type UseQueryResult } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { createBourseClient } from '@bourse/client/client.ts'
import { randomKey } from '@bourse/client/environment.ts'
import { createQueries, refusalOf } from '../session/queries.ts'
import { createStore, type OwnStore } from '../session/store.ts'
import type { Vault } from '../session/vault.ts'
import { createBankApi, type BankApi } from './api.ts'
import { spentForm, type DeedForm } from './deed-form.ts'
import { createDeeds, type Deeds } from './deeds.ts'
import type { Deed } from './intent.ts'
import type { BankSelf, Quote } from './shapes.ts'

/** A quote and the deed it was asked for. */
export interface GivenQuote {
  readonly quote: Quote
  readonly deed: Deed
  /** By this tab's clock, ms. */
  readonly deadlineMs: number
}

/** What the pages of an open desk share; it outlives each of them, so that a look at another loses nothing. */
export interface BankDesk {
  readonly api: BankApi
  /** What was read; dropped with the key. */
  readonly queries: QueryClient
  readonly deeds: Deeds
  /** What is typed for the next deed, null before anything was. */
  readonly form: OwnStore<DeedForm | null>
  /** The quote that was given last and is neither used nor put away. */
  readonly quote: OwnStore<GivenQuote | null>
  readonly makeKey: () => string
}

/** The calls with a key, wherever it is kept. */
export const bankApiWith = (apiKey: () => string | null): BankApi =>
  createBankApi(createBourseClient({ baseUrl: '', apiKey }))

/** A desk over an open vault. */
export const createBankDesk = (vault: Vault): BankDesk => {
  const api = bankApiWith(() => vault.secret())
  const queries = createQueries(vault)
  const form = createStore<DeedForm | null>(null)
  const deeds = createDeeds({
    perform: api.perform,
    makeKey: randomKey,
    refusalOf,
    onEnd: ({ step }) => {
      const typed = form.getSnapshot()
      if (step === 'done' && typed !== null) form.set(spentForm(typed))
      void queries.invalidateQueries()
    },
  })
  return { api, queries, deeds, form, quote: createStore<GivenQuote | null>(null), makeKey: randomKey }
}

/** The open desk around a page. */
export const DeskContext = createContext<BankDesk | null>(null)

/** The open desk. @throws outside of one: that is a bug */
export const useDesk = (): BankDesk => {
  const desk = useContext(DeskContext)
  if (desk === null) throw new Error('no open desk around this page')
  return desk
}

/** The bank whose key it is. */
export const useSelf = (): UseQueryResult<BankSelf> => {
  const { api } = useDesk()
  return useQuery({ queryKey: ['self'], queryFn: ({ signal }) => api.self(signal), refetchInterval: 15_000 })
}
