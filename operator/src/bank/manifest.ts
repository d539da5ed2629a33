import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import { parseBank } from '@bourse/common/resources/bank.ts'
import type { BankResource } from '../resources/bank.ts'

/** The directory has seen a younger leader: this one is deposed and must not go on. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** After this long a manifest is stored again though it did not change: the directory may have been restored. */
export const REFRESH_MS = 600_000

/** The manifests of banks as the processes read them. */
export interface BankManifests {
  /** Stores the bank as its resource says. @throws {FencedError} */
  store(bank: BankResource, fence: number): Promise<void>
  /** Stores the bank suspended: with the spec that processes have where the resource's can't be used. @throws {FencedError} */
  suspend(bank: BankResource, fence: number): Promise<void>
  /** @throws {FencedError} */
  remove(bank: string, fence: number): Promise<void>
  forget(bank: string): void
}

/** The document of a manifest: nothing of the API server's own. */
export const manifestOf = ({ apiVersion, kind, metadata, spec }: BankResource): Record<string, unknown> => ({
  apiVersion,
  kind,
  metadata: { name: metadata.name },
  spec,
})

/** Makes the keeper of manifests. */
export const createBankManifests = (deps: {
  readonly directory: Pick<Directory, 'manifests' | 'putManifest' | 'removeManifest'>
  readonly clock: Clock
}): BankManifests => {
  const { directory, clock } = deps
  const stored = new Map<string, { readonly text: string; readonly atMs: number }>()
  const unlessFenced = (answer: 'stored' | 'removed' | 'fenced'): void => {
    if (answer === 'fenced') throw new FencedError('the directory was written by a younger leader')
  }
  const store = async (bank: BankResource, fence: number): Promise<void> => {
    const { name, generation = 0 } = bank.metadata
    const record = { kind: 'Bank' as const, name, generation, document: JSON.stringify(manifestOf(bank)), fence }
    const text = JSON.stringify(record)
    const last = stored.get(name)
    if (last?.text === text && clock.monotonicMs() - last.atMs < REFRESH_MS) return
    unlessFenced(await directory.putManifest(record))
    stored.set(name, { text, atMs: clock.monotonicMs() })
  }
  /** The spec that processes have of a bank; null when they have none. */
  const specInForce = async (bank: BankResource): Promise<BankResource['spec'] | null> => {
    if (parseBank(manifestOf(bank)).ok) return bank.spec
    const all = await directory.manifests()
    const found = all.find(({ kind, name }) => kind === 'Bank' && name === bank.metadata.name)
    return found === undefined ? null : (JSON.parse(found.document) as Pick<BankResource, 'spec'>).spec
  }
  return {
    store,
    suspend: async (bank, fence) => {
      const spec = await specInForce(bank)
      if (spec !== null) await store({ ...bank, spec: { ...spec, state: 'Suspended' } }, fence)
    },
    remove: async (bank, fence) => {
      stored.delete(bank)
      unlessFenced(await directory.removeManifest('Bank', bank, fence))
    },
    forget: (bank) => void stored.delete(bank),
  }
}
