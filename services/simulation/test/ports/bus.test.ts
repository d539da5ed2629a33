import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { BusMessage, Delivery } from '@bourse/common/ports/bus.ts'
import type { Door } from '../../src/ports/ground.ts'
import { openTestGround, type TestGround } from './test-ground.ts'

const HERE = partitionNumber('ledger', 0)
const WIDE = { inFlightMax: 1_000 }
const SEEDS = [1, 2, 3, 4, 5, 6]

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = ({ message }: Delivery): string => new TextDecoder().decode(message.body)
const command = (text: string): BusMessage => ({ type: 'command', body: bytes(text) })
const reply = (text: string) => ({ status: 'ok', sequence: 1n, body: bytes(text) }) as const
const ignore = (): undefined => undefined

/** Starts a consumer that notes what comes, `text/attempt`. */
const consume = (
  door: Door,
  seen: string[],
  settle: (delivery: Delivery) => void = (delivery) => delivery.acknowledge(),
) =>
  door.bus.consume(
    HERE,
    (delivery) => {
      seen.push(`${textOf(delivery)}/${delivery.attempt}`)
      settle(delivery)
    },
    WIDE,
  )

const sendAll = async ({ ground, settle }: TestGround, texts: readonly string[]): Promise<void> => {
  const sender = ground.open('sender')
  await settle(Promise.all(texts.map((text) => sender.bus.send(HERE, command(text)))))
}

describe('the broker', () => {
  test('one sender’s messages keep their order however they are delayed, and those of several senders mix', async () => {
    const orders = new Set<string>()
    for (const seed of SEEDS) {
      const percents = { 'messages-reordered': 40, 'message-delayed': 10, 'message-twice': 20, 'link-cut': 2 }
      const { ground, pass } = openTestGround({ seed, percents })
      const seen: string[] = []
      void consume(ground.open('consumer'), seen)
      const texts = Array.from({ length: 30 }, (_, index) => String(index).padStart(2, '0'))
      for (const name of ['a', 'b', 'c']) {
        const sender = ground.open(name)
        for (const text of texts) void sender.bus.send(HERE, command(`${name}${text}`))
      }
      await pass(60_000)
      const all = seen.map((text) => text.slice(0, 3))
      for (const name of ['a', 'b', 'c']) {
        const heard = all.filter((text) => text.startsWith(name))
        expect([...new Set(heard)]).toEqual(texts.map((text) => `${name}${text}`))
        // What comes twice comes in its old place: nothing that was said later is followed by it.
        expect(heard).toEqual(heard.toSorted())
      }
      expect(seen.length).toBeGreaterThan(90)
      orders.add([...new Set(all)].join())
    }
    expect(orders.size).toBe(SEEDS.length)
  })

  test('what is requeued comes before all that waits, in its old place', async () => {
    const opened = openTestGround()
    await sendAll(opened, ['a', 'b', 'c', 'd'])
    const seen: string[] = []
    const door = opened.ground.open('consumer')
    const held: Delivery[] = []
    const handler = (delivery: Delivery): void => {
      seen.push(`${textOf(delivery)}/${delivery.attempt}`)
      if (delivery.attempt === 1) held.push(delivery)
      else delivery.acknowledge()
    }
    void door.bus.consume(HERE, handler, { inFlightMax: 3 })
    await opened.pass(100)
    expect(seen).toEqual(['a/1', 'b/1', 'c/1'])
    // In the wrong order, and with one more that arrives meanwhile.
    for (const delivery of held.splice(0).reverse()) delivery.requeue()
    await opened.pass(100)
    expect(seen.slice(3)).toEqual(['a/2', 'b/2', 'c/2', 'd/1'])
  })

  test('what a killed consumer had in hand comes to the next one, in order, with its attempt raised', async () => {
    const opened = openTestGround()
    await sendAll(opened, ['a', 'b', 'c', 'd'])
    const [first, second]: [string[], string[]] = [[], []]
    const dead = opened.ground.open('first')
    const held: Delivery[] = []
    void consume(dead, first, (delivery) => held.push(delivery))
    await opened.pass(100)
    expect(first).toHaveLength(4)
    held[1]!.acknowledge()
    await opened.pass(100)
    // This word is still on its way when the process dies.
    held[2]!.acknowledge()
    dead.kill()
    void consume(opened.ground.open('second'), second)
    await opened.pass(1_000)
    expect(second).toEqual(['a/2', 'c/2', 'd/2'])
    held[0]!.requeue()
    await sendAll(opened, ['e'])
    await opened.pass(1_000)
    expect([first.length, second.at(-1), second.length]).toEqual([4, 'e/1', 4])
  })

  test('a reply to an asker that died vanishes, and a killed asker never hears of its time limit', async () => {
    const { ground, pass } = openTestGround()
    const held: Delivery[] = []
    const server = ground.open('server')
    void server.bus.consume(HERE, (delivery) => void held.push(delivery), WIDE)
    const asker = ground.open('asker')
    let heard = 0
    const hear = (): void => void (heard += 1)
    asker.bus.request(HERE, { ...command('?'), deadlineMs: 1_000 }).then(hear, hear)
    await pass(100)
    expect(held).toHaveLength(1)
    asker.kill()
    held[0]!.reply(reply('!'))
    await pass(10_000)
    expect(heard).toBe(0)
  })

  test('a paused consumer loses its partition to one that waits; what it says when it wakes is void', async () => {
    const opened = openTestGround()
    const { ground, pass } = opened
    const [first, second]: [string[], string[]] = [[], []]
    const zombie = ground.open('zombie')
    const held: Delivery[] = []
    void consume(zombie, first, (delivery) => held.push(delivery))
    await pass(50)
    await sendAll(opened, ['a'])
    await pass(50)
    zombie.pause()
    await sendAll(opened, ['b'])
    void consume(ground.open('heir'), second, (delivery) => {
      if (textOf(delivery) !== 'b') delivery.acknowledge()
    })
    await pass(5_000)
    expect([first, second]).toEqual([['a/1'], ['a/2', 'b/2']])
    zombie.resume()
    await pass(5_000)
    // What had reached its sockets reaches its code now; nothing more while another consumes.
    expect(first).toEqual(['a/1', 'b/1'])
    for (const delivery of held) delivery.acknowledge()
    await sendAll(opened, ['c'])
    await pass(100)
    expect(second.at(-1)).toBe('c/1')
    expect(ground.waitingMessages()).toEqual(new Map([['ledger/0', 1]]))
  })

  test('a paused consumer that nobody replaced goes on where it was', async () => {
    const opened = openTestGround()
    const seen: string[] = []
    const door = opened.ground.open('consumer')
    void consume(door, seen)
    await opened.pass(50)
    door.pause()
    await sendAll(opened, ['a', 'b'])
    await opened.pass(10_000)
    expect(seen).toEqual([])
    door.resume()
    await sendAll(opened, ['c'])
    await opened.pass(1_000)
    expect(new Set(seen.map((text) => text[0]))).toEqual(new Set(['a', 'b', 'c']))
    expect(opened.ground.waitingMessages().size).toBe(0)
  })

  test('a bus that forgets loses what waits and what is under way; its consumers go on', async () => {
    const opened = openTestGround()
    const { ground, pass, settle } = opened
    await sendAll(opened, ['lost'])
    const sender = ground.open('another')
    const underWay = sender.bus.send(HERE, command('under way')).then(ignore, (error: Error) => error)
    const asked = sender.bus
      .request(HERE, { ...command('asked'), deadlineMs: 300 })
      .then(ignore, (error: Error) => error)
    ground.busForgets()
    expect(await settle(underWay)).toMatchObject({ kind: 'unknown' })
    expect(await settle(asked)).toMatchObject({ kind: 'unknown' })
    const seen: string[] = []
    void consume(ground.open('consumer'), seen)
    await sendAll(opened, ['new'])
    await pass(1_000)
    expect(seen).toEqual(['new/1'])
  })

  test('a bus that forgets loses the replies under way: their askers wait in vain', async () => {
    const { ground, pass, settle } = openTestGround()
    const held: Delivery[] = []
    void ground.open('server').bus.consume(HERE, (delivery) => void held.push(delivery), WIDE)
    const asked = ground.open('asker').bus.request(HERE, { ...command('?'), deadlineMs: 300 })
    const failure = asked.then(ignore, (error: Error) => error)
    await pass(100)
    held[0]!.reply(reply('lost'))
    ground.busForgets()
    expect(await settle(failure)).toMatchObject({ kind: 'timeout' })
  })

  test('refused, unanswered and repeated sends show as such', async () => {
    for (const [kind, failure] of [
      ['send-refused', 'unavailable'],
      ['answer-lost', 'timeout'],
    ] as const) {
      const { ground, settle, faults } = openTestGround({ percents: { [kind]: 100 } })
      const sent = ground.open('sender').bus.send(HERE, command('a'))
      expect(await settle(sent.then(ignore, (error: Error) => error))).toMatchObject({ kind: failure })
      expect(faults.counts()).toEqual({ [kind]: 1 })
    }
    const opened = openTestGround({ percents: { 'message-twice': 100 } })
    const seen: string[] = []
    void consume(opened.ground.open('consumer'), seen)
    await sendAll(opened, ['a'])
    await opened.pass(1_000)
    expect(seen).toEqual(['a/1', 'a/1'])
  })
})
