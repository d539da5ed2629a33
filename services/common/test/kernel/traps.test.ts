import { describe, expect, test } from '@jest/globals'
import { refusalNumbers } from '../../src/errors/codes.ts'
import { codeOfOutcome } from '../../src/kernel/client.ts'
import { decodeHeader, KIND_TIME } from '../../src/kernel/command.ts'
import { decodeOutcomeHeader } from '../../src/kernel/outcome.ts'
import { decodeRecord } from '../../src/kernel/record.ts'
import { RECORD_BYTES_MAX, type Journal } from '../../src/ports/journal.ts'
import { gateOf } from './gates.ts'
import { add, DEADLINE_MS, HERE, THERE, until, worldOfEachTest } from './harness.ts'
import { createTallyMachine, idOf, tallyCommand, tallyKinds, tallyQuestion } from './tally-machine.ts'

const { world, send, total } = worldOfEachTest()
const trap = (id: number): Uint8Array => tallyCommand(tallyKinds.trap, [], id)

/** A machine that answers a command of kind `add` with `amount` effects of 64 KiB each. */
const createWideMachine = () => {
  const machine = createTallyMachine()
  const padding = new Uint8Array(65_000)
  return {
    ...machine,
    apply: (batch: readonly Uint8Array[], now: bigint, behaviour: number, refused?: ReadonlySet<number>) => {
      const applied = machine.apply(batch, now, behaviour, refused)
      const effects = batch.flatMap((command, commandIndex) => {
        const isWide = decodeHeader(command).kind === tallyKinds.add && refused?.has(commandIndex) !== true
        const count = isWide ? Number(new DataView(command.buffer, command.byteOffset).getBigInt64(56, true)) : 0
        return Array.from({ length: count }, () => ({ to: THERE, bytes: padding, commandIndex }))
      })
      return { ...applied, effects }
    },
  }
}

describe('a trap', () => {
  test('on an observation drops this one alone, and the partition serves on', async () => {
    const host = {
      observe: (quote: bigint) => {
        if (quote === 13n) throw new Error('trap')
        return add(quote)
      },
    }
    const runner = world.run(HERE, { host })
    await runner.start()
    for (const quote of [1n, 13n, 2n]) runner.observe(quote)
    await until(world.clock, async () => (await total()) === 3n)
    expect(runner.status().counts['droppedFaulty']).toBe(1)
    await runner.stop({ snapshot: false })
  })

  test('refuses its own command and not the observation that came before it', async () => {
    const gate = gateOf(world.journal)
    const runner = world.run(HERE, { journal: gate.journal, host: { observe: (quote) => add(quote) } })
    await runner.start()
    gate.close()
    const first = send(add(1n))
    await until(world.clock, () => gate.waiting === 1)
    runner.observe(10n)
    const trapped = send(trap(2))
    await until(world.clock, () => runner.status().waiting === 2)
    gate.open()
    await first
    expect(codeOfOutcome(await trapped)).toBe('ENGINE_FAULT')
    expect(await total()).toBe(11n)
    expect(runner.status().counts['engineFaults']).toBe(1)
    await runner.stop({ snapshot: false })
  })

  test('of a command whose asker stopped waiting refuses nobody in its place', async () => {
    let delayMs = 0
    const journal: Journal = {
      ...world.journal,
      head: async (partition) => (await world.clock.sleep(delayMs), world.journal.head(partition)),
    }
    const runner = world.run(HERE, { journal })
    await runner.start()
    delayMs = 100
    const gone = world.client.command(HERE, trap(2), 150)
    const after = send(add(5n, 3))
    expect((await gone).ok).toBe(false)
    expect(decodeOutcomeHeader(await after).code).toBe(0)
    await runner.stop({ snapshot: false })
  })

  test('of a command of the runner itself, even while refused, ends in a failed partition instead of turning round', async () => {
    let applied = 0
    const factory = () => {
      const machine = createTallyMachine()
      return {
        ...machine,
        apply: (batch: readonly Uint8Array[], now: bigint, behaviour: number, refused?: ReadonlySet<number>) => {
          const index = batch.findIndex((command) => decodeHeader(command).kind === KIND_TIME)
          if (index >= 0 && refused?.has(index) !== true) {
            applied += 1
            throw new Error('trap')
          }
          return machine.apply(batch, now, behaviour, refused)
        },
      }
    }
    const runner = world.run(HERE, { host: { factory } })
    await runner.start()
    await send(tallyCommand(tallyKinds.remindAt, [1n]))
    await until(world.clock, () => runner.status().state === 'failed')
    expect(applied).toBeLessThan(5)
    await runner.stop({ snapshot: false })
  })

  test('while inputs are filled in refuses that command', async () => {
    const host = {
      resolve: (command: Uint8Array) => {
        if (decodeHeader(command).kind === tallyKinds.remindAt) throw new Error('trap')
        return command
      },
    }
    const runner = world.run(HERE, { host })
    await runner.start()
    const faulty = tallyCommand(tallyKinds.remindAt, [1n], 6)
    const outcomes = await Promise.all([send(add(1n)), send(faulty), send(add(2n))])
    expect(outcomes.map((outcome) => decodeOutcomeHeader(outcome).code)).toEqual([0, refusalNumbers.ENGINE_FAULT, 0])
    expect(await total()).toBe(3n)
    await runner.stop({ snapshot: false })
  })

  test('on a question answers that one with unavailable, rebuilds once, and answers the others', async () => {
    const factory = () => {
      const machine = createTallyMachine()
      const query = (question: Uint8Array) => {
        if (Buffer.compare(decodeHeader(question).id, idOf(77)) === 0) throw new Error('trap')
        return machine.query(question)
      }
      return { ...machine, query }
    }
    const runner = world.run(HERE, { host: { factory } })
    await runner.start()
    await send(add(4n))
    const read = await world.client.read(HERE, tallyQuestion(77), { deadlineMs: DEADLINE_MS })
    expect(read.ok ? 'answered' : read.refusal.message).toMatch(/not served right now/)
    expect(await total()).toBe(4n)
    expect(runner.status().counts['rebuilds']).toBe(1)
    expect(runner.status().state).toBe('serving')
    await runner.stop({ snapshot: false })
  })
})

describe('a record', () => {
  test('takes no more when what was decided is much, however few the commands are', async () => {
    const gate = gateOf(world.journal)
    const host = { factory: createWideMachine, observe: (count: bigint) => add(count) }
    const runner = world.run(HERE, { journal: gate.journal, host })
    await runner.start()
    gate.close()
    const first = send(add(0n))
    await until(world.clock, () => gate.waiting === 1)
    for (let count = 0; count < 8; count++) runner.observe(30n)
    gate.open()
    await first
    await until(world.clock, () => runner.status().sequence >= 5n)
    expect(runner.status().counts['rebuilds']).toBe(0)
    for await (const stored of world.journal.readFrom(HERE, 1n)) expect(stored.body.length).toBeLessThan(5_000_000)
    await runner.stop({ snapshot: false })
  })

  test('of one command that decides more than a record holds has the refusal of that command', async () => {
    const runner = world.run(HERE, { host: { factory: createWideMachine } })
    await runner.start()
    expect(Math.ceil(RECORD_BYTES_MAX / 65_000)).toBeLessThan(140)
    const outcomes = await Promise.all([send(add(1n, 1)), send(add(140n, 2)), send(add(2n, 3))])
    expect(outcomes.map((outcome) => decodeOutcomeHeader(outcome).code)).toEqual([0, refusalNumbers.ENGINE_FAULT, 0])
    await runner.stop({ snapshot: false })
  })

  test('never holds a time command that a client sent', async () => {
    const runner = world.run(HERE)
    await runner.start()
    await world.bus.send(HERE, { type: 'command', body: tallyCommand(KIND_TIME, [0n]) })
    await send(add(1n))
    expect((await world.bus.deadLetters(10)).length).toBe(1)
    const kinds: number[] = []
    for await (const stored of world.journal.readFrom(HERE, 1n))
      kinds.push(...decodeRecord(stored.body).inputs.map((input) => decodeHeader(input).kind))
    expect(kinds).toEqual([tallyKinds.add])
    await runner.stop({ snapshot: false })
  })
})
