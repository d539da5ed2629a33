import { openRabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createPartitionClient, type ReadOptions } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { pino } from 'pino'
import { createPeer } from './rpc.ts'
import { settingsFromParent } from './settings.ts'

/** A gateway of the fault tests: the partition client on a bus of its own, asked by its parent. */

const start = async (): Promise<void> => {
  process.on('disconnect', () => process.exit(0))
  const { name, rabbitUrl: url, prefix } = settingsFromParent()
  const clock = createSystemClock()
  const logger = pino({ level: 'info', base: { part: name } }, pino.destination(2))
  const bus = await openRabbitBus({ url, prefix, clock, logger })
  const client = createPartitionClient({ bus })
  const peer = createPeer(process, {
    command: (partition: PartitionNumber, command: Uint8Array, deadlineMs: number) =>
      client.command(partition, command, deadlineMs),
    read: (partition: PartitionNumber, question: Uint8Array, options: ReadOptions) =>
      client.read(partition, question, options),
    stop: () => bus.close(),
  })
  await peer.call('ready')
}

await start()
