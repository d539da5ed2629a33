import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import { faultKinds } from '../../src/faults/kinds.ts'
import type { Door } from '../../src/ports/ground.ts'
import { openTestGround } from './test-ground.ts'

const PARTITION = partitionNumber('ledger', 0)
const body = (text: string): Uint8Array => new TextEncoder().encode(text)

const quietly = async (task: Promise<unknown>): Promise<void> => {
  try {
    await task
  } catch (error) {
    if (!(error instanceof PortError)) throw error
  }
}

/** A server that appends what it is asked to and answers. */
const serve = async (door: Door): Promise<void> => {
  let sequence = (await door.journal.head(PARTITION).catch(() => null))?.sequence ?? 0n
  await door.bus.consume(
    PARTITION,
    (delivery) => {
      sequence += 1n
      const record = { sequence, hash: door.random.bytes(32), body: delivery.message.body }
      const answer = door.journal.append(PARTITION, record).then((result) => {
        delivery.reply({ status: 'ok', sequence: record.sequence, body: body(result) })
        delivery.acknowledge()
      })
      void quietly(answer)
    },
    { inFlightMax: 8 },
  )
}

const ask = async (door: Door): Promise<void> => {
  for (let index = 0; index < 40; index++) {
    await quietly(
      door.bus.request(PARTITION, { type: 'command', body: body(`${door.name} ${index}`), deadlineMs: 500 }),
    )
    await door.clock.sleep(door.random.below(20))
  }
}

/** Lets servers, clients, crashes and every fault meet for a while. @returns the trace's hash and how many lines it has. */
export const playStory = async (seed: number): Promise<string> => {
  const percents = Object.fromEntries(faultKinds.map((kind) => [kind, 5]))
  const { world, ground, pass } = openTestGround({ seed, percents })
  const random = world.chance('story')
  ground.listen('outside', () => ({ answer: { status: 200, text: '{}' }, delayMs: random.below(50) }))
  let server = ground.open('server 1')
  void serve(server)
  for (const name of ['client 1', 'client 2']) void ask(ground.open(name))
  const views = ground.open('views')
  views.events.subscribe(PARTITION, 1n, async ({ sequence }) => world.trace.note(`seen ${sequence}`))
  for (let life = 2; life < 8; life++) {
    await pass(random.between(50, 800))
    if (random.chance(30)) server.pause()
    await pass(random.between(50, 800))
    server.resume()
    void quietly(
      server
        .fetch('http://outside/orders')
        .then((response) => response.text())
        .catch(() => undefined),
    )
    server.kill()
    if (random.chance(50)) ground.tearAppends()
    if (random.chance(20)) ground.busForgets()
    server = ground.open(`server ${life}`)
    void serve(server)
  }
  await pass(5_000)
  return `${world.trace.hash()} ${world.trace.lines}`
}
