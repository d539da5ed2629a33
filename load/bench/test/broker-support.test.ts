import { describe, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus, BusMessage, Delivery } from '@bourse/common/ports/bus.ts'
import { longestGap } from '../src/rows/broker/move.ts'
import { paced } from '../src/rows/broker/support/pace.ts'
import { closedLoop, type Answered } from '../src/rows/broker/support/producer.ts'
import { withPromptReceivers } from '../src/rows/broker/support/receivers.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the pause of a move', () => {
  const answers = [0, 10, 20, 320, 330, 1_000]

  test('is the longest time between two answers around it', () => {
    expect(longestGap(answers, 15, 400)).toBe(670)
    expect(longestGap(answers, 15, 325)).toBe(300)
    expect(longestGap(answers, 0, 15)).toBe(10)
  })

  test('counts the whole gap that it began or ended in', () => {
    expect(longestGap(answers, 200, 210)).toBe(300)
    expect(longestGap(answers, 331, 332)).toBe(670)
  })
})

describe('the loops over a broker', () => {
  test('a closed loop keeps as many on their way as its window says, and asks for no more than its count', async () => {
    let onTheirWay = 0
    let most = 0
    let asked = 0
    const tookMs = await closedLoop(50, 4, (answered) => {
      asked += 1
      most = Math.max(most, ++onTheirWay)
      setImmediate(() => {
        onTheirWay -= 1
        answered(null)
      })
    })
    expect({ asked, most, onTheirWay }).toEqual({ asked: 50, most: 4, onTheirWay: 0 })
    expect(tookMs).toBeGreaterThan(0)
  })

  test('an answer that is not the expected one ends the loop', async () => {
    const refused = (answered: Answered): unknown => setImmediate(() => answered(new Error('refused')))
    await expect(closedLoop(3, 1, refused)).rejects.toThrow('refused')
    await expect(paced(1_000, 20, refused)).rejects.toThrow('refused')
  })

  test('a steady rate does not wait for answers, and counts from the moment a thing was due', async () => {
    const held: Answered[] = []
    let answers = 0
    // Nothing is answered for the first 200 ms; a loop that waited for its answers would ask once in that time.
    let isHeld = true
    const hold = (answered: Answered): void => {
      held.push(answered)
      if (held.length > 1) return
      setTimeout(() => {
        isHeld = false
        held.splice(0).forEach((one) => one(null))
      }, 200)
    }
    const { p50, p99 } = await paced(200, 400, (answered) => (isHeld ? hold(answered) : answered(null)), {
      onAnswer: () => void (answers += 1),
    })
    expect(answers).toBeGreaterThan(50)
    expect(p99).toBeGreaterThan(150)
    expect(p50).toBeLessThan(p99)
  })
})

describe('a steady rate', () => {
  test('keeps no more on their way than its window says, and asks for what was due as answers come', async () => {
    let onTheirWay = 0
    let most = 0
    let asked = 0
    await paced(
      10_000,
      20,
      (answered) => {
        asked += 1
        most = Math.max(most, ++onTheirWay)
        setTimeout(() => {
          onTheirWay -= 1
          answered(null)
        }, 5)
      },
      { windowMax: 3 },
    )
    expect({ most, onTheirWay }).toEqual({ most: 3, onTheirWay: 0 })
    expect(asked).toBeGreaterThan(100)
  })

  test('asks for nothing more once it is ended, and waits for what is on its way', async () => {
    const ended = new AbortController()
    const waiting: Answered[] = []
    const loop = paced(1_000, 60_000, (answered) => void waiting.push(answered), { ended: ended.signal })
    ended.abort()
    const asked = waiting.length
    let isOver = false
    void loop.then(() => (isOver = true))
    await turn()
    expect({ asked: asked > 0, isOver }).toEqual({ asked: true, isOver: false })
    waiting.forEach((answered) => answered(null))
    await loop
    expect(waiting).toHaveLength(asked)
  })
})

describe('receivers beside the runner', () => {
  const [here, there, elsewhere] = [
    partitionNumber('trading', 0),
    partitionNumber('ledger', 0),
    partitionNumber('ledger', 1),
  ]

  const createWorld = () => {
    const sent: BusMessage[] = []
    const taken: Delivery[] = []
    const bus: Bus = {
      send: async (_partition, message) => void sent.push(message),
      request: () => Promise.reject(new Error('nobody asks')),
      consume: async () => ({ stop: async () => undefined }),
      deadLetters: async () => [],
      deadLetterCount: async () => 0,
      resend: async () => false,
      close: async () => undefined,
    }
    return { sent, taken, bus: withPromptReceivers(bus) }
  }
  const effect = (sequence: bigint): BusMessage => ({ type: 'effect', sender: here, sequence, body: new Uint8Array(8) })

  test('confirm the last effect that each was sent, in the next turn, and nothing of it reaches the broker', async () => {
    const { bus, sent, taken } = createWorld()
    await bus.consume(here, (delivery) => void taken.push(delivery), { inFlightMax: 1 })
    for (const sequence of [1n, 2n]) await bus.send(there, effect(sequence))
    await bus.send(elsewhere, effect(7n))
    expect(taken).toEqual([])
    await turn()
    await turn()
    expect(taken.map(({ message: { type, sender, sequence } }) => [type, sender, sequence])).toEqual([
      ['confirmation', there, 2n],
      ['confirmation', elsewhere, 7n],
    ])
    await bus.send(there, effect(3n))
    await turn()
    expect(taken.at(-1)!.message.sequence).toBe(3n)
    expect(sent).toEqual([])
  })

  test('leave everything else to the broker', async () => {
    const { bus, sent } = createWorld()
    const command: BusMessage = { type: 'command', body: new Uint8Array(8) }
    await bus.send(there, command)
    expect(sent).toEqual([command])
  })
})
