import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { ShownManifest } from '@bourse/common/shard-client/answers.ts'
import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import type { TradingPairResource } from '../resources/trading-pair.ts'
import type { GroupView } from '../shards/groups.ts'
import { inTime } from '../shards/observe.ts'

/** A pair as it is stored for the processes: the manifest without anything that Kubernetes added. */
export const manifestOf = (pair: TradingPairResource): object => {
  const spec = pair.metadata.deletionTimestamp === undefined ? pair.spec : { ...pair.spec, state: 'ReduceOnly' }
  return { apiVersion: pair.apiVersion, kind: pair.kind, metadata: { name: pair.metadata.name }, spec }
}

/** A newer leader wrote about the manifest: this one leads no more. */
export class Fenced extends Error {
  override readonly name = 'Fenced'
}

/** Where a spec is on its way into the partitions. */
export interface Delivery {
  readonly state: 'InForce' | 'Pending' | 'Refused'
  /** What is waited for, or the words of the refusal. */
  readonly detail: string
}

/** Stores a pair's manifest, unless this was stored last. @throws {Fenced} @throws {PortError} */
export const createManifestWriter = (directory: Pick<Directory, 'putManifest'>) => {
  const written = new Map<string, string>()
  return {
    put: async (pair: TradingPairResource, fence: number): Promise<void> => {
      const { name, generation = 0 } = pair.metadata
      const document = JSON.stringify(manifestOf(pair))
      const version = `${fence} ${generation} ${document}`
      if (written.get(name) === version) return
      const result = await directory.putManifest({ kind: 'TradingPair', name, generation, document, fence })
      if (result === 'fenced') throw new Fenced(`a newer leader wrote the manifest of ${name}`)
      written.set(name, version)
    },
    forget: (name: string): void => void written.delete(name),
  }
}

/** What shards say of one manifest. */
export const judgeDelivery = (
  said: readonly { readonly pod: string; readonly manifest: ShownManifest | null }[],
  generation: number,
  unserved: number,
): Delivery => {
  for (const { pod, manifest } of said)
    if (manifest !== null && manifest.generation >= generation && manifest.state === 'Refused')
      return { state: 'Refused', detail: `${pod} refuses it: ${manifest.reason ?? 'it does not say why'}` }
  for (const { pod, manifest } of said) {
    if (manifest === null || manifest.generation < generation)
      return { state: 'Pending', detail: `${pod} has not read generation ${generation} yet` }
    if (manifest.state !== 'InForce')
      return { state: 'Pending', detail: `${pod} has it pending: ${manifest.reason ?? 'its partitions take it'}` }
  }
  if (said.length === 0) return { state: 'Pending', detail: 'no shard answers yet' }
  if (unserved > 0) return { state: 'Pending', detail: `${unserved} partitions are not served yet` }
  return { state: 'InForce', detail: `generation ${generation} is in force` }
}

/** Asks every shard of a group that answers, and serves or may serve. Who does not answer in time has it pending. */
export const askDelivery = async (
  clock: Clock,
  shards: Pick<ShardClient, 'manifests'>,
  view: GroupView,
  pair: TradingPairResource,
): Promise<Delivery> => {
  const { name, generation = 0 } = pair.metadata
  const asked = view.pods.filter((pod) => pod.answer !== null && (!pod.isTerminating || pod.answer.length > 0))
  const said = await Promise.all(
    asked.map(async (pod) => {
      const manifests = await inTime(clock, () => shards.manifests(pod.url ?? ''))
      const manifest = manifests?.find((one) => one.kind === 'TradingPair' && one.name === name) ?? null
      return { pod: pod.name, manifest }
    }),
  )
  return judgeDelivery(said, generation, view.unserved.length)
}
