import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Call } from '../history/history.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import type { Ground } from '../ports/ground.ts'
import { identityOf, ownerOfTrader, takesKey } from '../workload/identity.ts'
import { audit, type AuditInput } from './audit.ts'
import { createAppendWatcher } from './evidence/append-times.ts'
import { hex } from './evidence/bytes.ts'
import type { Identities } from './statements/case.ts'
import type { Finding } from './finding.ts'

/** Watches a run from its beginning and audits it at its end. */
export interface Auditor {
  /** Called once the platform has come to rest; only reads. */
  audit(platform: SimulatedPlatform, calls: readonly Call[]): Promise<readonly Finding[]>
  /** All that an audit would look at. */
  inputOf(platform: SimulatedPlatform, calls: readonly Call[]): AuditInput
}

/** Every id that is asked for here comes from a key. */
const noIds: Ids = {
  uuid: () => {
    throw new Error('a keyed request has its id from its key')
  },
  bytes16: () => {
    throw new Error('a keyed request has its id from its key')
  },
}

const createIdentities = (): Identities => ({
  ownerOf: (trader) => hex(ownerOfTrader(trader)),
  identityOf: (request, key) => {
    if (!takesKey(request)) return null
    const { id, requestHash } = identityOf(noIds, request, key)
    return { id: hex(id), requestHash: hex(requestHash) }
  },
})

/** Makes the auditor of a run; call it before the platform starts, so that it sees every record reach the disk. */
export const createAuditor = (deps: {
  readonly ground: Pick<Ground, 'onAppended'>
  readonly nowMs: () => number
}): Auditor => {
  const appended = createAppendWatcher(deps.nowMs)
  deps.ground.onAppended(appended.onAppended)
  const inputOf: Auditor['inputOf'] = (platform, calls) => ({
    topology: platform.topology,
    calls,
    identities: createIdentities(),
    disks: platform.disks,
    appended,
    factoryOf: platform.factoryOf,
    stateHash: platform.stateHash,
    pairs: platform.pairs(),
    banks: platform.banks(),
    orders: platform.orders(),
    bankRecords: platform.banks().map(({ name }) => {
      const books = platform.bankBooks(name)
      return { name, events: books.events(), transactions: books.transactions() }
    }),
  })
  return { inputOf, audit: (platform, calls) => audit(inputOf(platform, calls)) }
}
