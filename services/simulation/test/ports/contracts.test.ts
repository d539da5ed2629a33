import { createHash } from 'node:crypto'
import { busContract } from '@bourse/common/testkit/contracts/bus.contract.ts'
import { clockContract } from '@bourse/common/testkit/contracts/clock.contract.ts'
import { eventsContract } from '@bourse/common/testkit/contracts/events.contract.ts'
import { idsContract } from '@bourse/common/testkit/contracts/ids.contract.ts'
import { journalContract } from '@bourse/common/testkit/contracts/journal.contract.ts'
import { randomContract } from '@bourse/common/testkit/contracts/random.contract.ts'
import { otherModel, sampleModel, viewsContract } from '@bourse/common/testkit/contracts/views.contract.ts'
import { openPumpedGround } from './test-ground.ts'

const QUEUE_MAX = 64

busContract({
  name: 'the simulated bus',
  open: async () => {
    const { door, stop } = openPumpedGround({ queueMax: QUEUE_MAX })
    return { port: door.bus, queueMax: QUEUE_MAX, destroy: stop }
  },
})

journalContract({
  name: 'the simulated journal',
  open: async () => {
    const { door, ground, stop } = openPumpedGround()
    return { port: door.journal, reopen: async () => ground.open('again').journal, destroy: stop }
  },
})

eventsContract({
  name: 'simulated streams',
  open: async () => {
    const { door, ground, stop } = openPumpedGround()
    const heads = new Map<number, bigint>()
    return {
      port: door.events,
      append: async (partition) => {
        const sequence = (heads.get(partition) ?? 0n) + 1n
        heads.set(partition, sequence)
        const body = new TextEncoder().encode(`record ${sequence} of ${partition}`)
        const hash = Uint8Array.from(createHash('sha256').update(body).digest())
        await ground.disks.journal.append(partition, { sequence, body, hash })
        return { partition, sequence, body }
      },
      destroy: async () => {
        const closing = door.events.close()
        await closing
        await stop()
      },
    }
  },
})

viewsContract({
  name: 'simulated views',
  open: async () => {
    const { door, ground, stop } = openPumpedGround({ models: [sampleModel, otherModel] })
    return { port: door.views, reopen: async () => ground.open('again').views, destroy: stop }
  },
})

clockContract({
  name: 'the simulated clock',
  open: async () => {
    const { door, stop } = openPumpedGround()
    const elapse = (deltaMs: number): Promise<void> => door.clock.sleep(deltaMs)
    return { port: door.clock, elapse, destroy: stop }
  },
})

idsContract({
  name: 'simulated ids',
  open: async () => {
    const { door, stop } = openPumpedGround()
    return { port: door.ids, destroy: stop }
  },
})

randomContract({
  name: 'simulated chance',
  open: async () => {
    const { door, stop } = openPumpedGround()
    return { port: door.random, destroy: stop }
  },
})
