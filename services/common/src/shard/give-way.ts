import type { Logger } from 'pino'
import { partitionName, type PartitionNumber } from '../kernel/partition.ts'
import type { Views } from '../ports/views.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { partitionStateModel, type PartitionStateView } from '../views/models.ts'
import type { Shard } from './shard.ts'
import { EPOCH_MAX } from './types.ts'

/** Releases what another shard has by now. */
export interface GiveWay {
  /**
   * Reads what is said of every partition that is here. One that another shard speaks of under a higher epoch is released under
   * that epoch, beside: it resolves before. What can't be read changes nothing; then it rejects, once the others were seen to.
   * @throws {PortError}
   */
  look(): Promise<void>
}

/**
 * Makes what lets a shard step back by itself. An owner that was not reached when its partition was moved would go on as long as
 * it has the messages, which keeps the new owner from them, while its own word is not heard any more under the lower epoch.
 */
export const createGiveWay = (deps: {
  readonly shard: Pick<Shard<never>, 'name' | 'status' | 'giveWay'>
  readonly views: Pick<Views, 'get'>
  readonly metrics: Metrics
  /** A partition's name where it is counted. */
  readonly titleOf: (partition: PartitionNumber) => string
  readonly logger: Logger
}): GiveWay => {
  const { shard, views, logger } = deps
  const count = deps.metrics.counter('bourse_shard_given_way_total')
  const underWay = new Set<PartitionNumber>()

  const giveWay = async (partition: PartitionNumber, { epoch, shard: owner }: PartitionStateView): Promise<void> => {
    const name = partitionName(partition)
    underWay.add(partition)
    try {
      const given = await shard.giveWay(partition, epoch)
      if (given === null) return
      if (given.ok) {
        count.inc({ partition: deps.titleOf(partition) })
        logger.warn({ partition: name, owner, epoch }, 'another shard has the partition by now: it was released here')
      } else logger.error({ partition: name, owner, epoch, ...given.refusal }, 'a partition could not give way')
    } catch (error) {
      logger.error({ err: error, partition: name, owner, epoch }, 'a partition could not give way')
    } finally {
      underWay.delete(partition)
    }
  }

  const lookAt = async (partition: PartitionNumber): Promise<void> => {
    // Shown from the first look: of a series that appears with its first event nobody sees the increase.
    count.inc({ partition: deps.titleOf(partition) }, 0)
    const said = await views.get(partitionStateModel, String(partition))
    if (said === null || said.shard === shard.name) return
    // An epoch that no shard could have been told would lock the partition out for good.
    if (Number.isSafeInteger(said.epoch) && said.epoch <= EPOCH_MAX) void giveWay(partition, said)
  }

  return {
    look: async () => {
      const here = shard.status().filter(({ state, partition }) => state !== 'released' && !underWay.has(partition))
      const looked = await Promise.allSettled(here.map(({ partition }) => lookAt(partition)))
      const failed = looked.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}
