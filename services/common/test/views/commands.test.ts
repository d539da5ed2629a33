import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { refusalNumbers } from '../../src/errors/codes.ts'
import { commandOrigins } from '../../src/kernel/command.ts'
import { decodeOutcomeHeader, outcomeBodyOf } from '../../src/kernel/outcome.ts'
import { commandWrites, rememberedCommand } from '../../src/views/commands.ts'
import { client, HERE, idOf, KIND, openViewWorld, recordOf, type Step, type ViewWorld } from './support.ts'

const always = (): boolean => true
const idsOf = (steps: readonly Step[]): string[] =>
  commandWrites(recordOf(1n, steps), always).map(({ id }) => id.slice(0, 2))

describe('executed commands in the views', () => {
  let world: ViewWorld
  const project = (sequence: bigint, steps: readonly Step[]): Promise<void> =>
    world.views.project('test', HERE, sequence, commandWrites(recordOf(sequence, steps), always))
  beforeEach(async () => {
    world = await openViewWorld()
  })
  afterEach(() => world.close())

  test('an outcome comes back whole, with what its command asked for and where it was decided', async () => {
    const record = recordOf(3n, [client(1), client(2, refusalNumbers.INSUFFICIENT_FUNDS, 9)])
    await world.views.project('test', HERE, 3n, commandWrites(record, always))
    const known = await rememberedCommand(world.views, idOf(2))
    expect(known?.outcome).toEqual(record.outcomes[1])
    expect(known?.view).toEqual({
      _id: '02'.repeat(16),
      partition: HERE,
      sequence: 3n,
      requestHash: '09'.repeat(16),
      kind: KIND,
      code: 33,
      atMs: 1_003,
      outcome: Buffer.from(record.outcomes[1]!).toString('base64'),
    })
    expect(await rememberedCommand(world.views, idOf(3))).toBeNull()
  })

  test('the first outcome of an id stays, whatever later records say under it', async () => {
    await project(1n, [client(1, refusalNumbers.MARGIN_TOO_SMALL), client(1)])
    await project(2n, [client(1, refusalNumbers.ENGINE_FAULT, 8)])
    const known = await rememberedCommand(world.views, idOf(1))
    expect(decodeOutcomeHeader(known!.outcome).code).toBe(refusalNumbers.MARGIN_TOO_SMALL)
    expect(outcomeBodyOf(known!.outcome)[1]).toBe(refusalNumbers.MARGIN_TOO_SMALL)
    expect([known?.view.sequence, known?.view.requestHash]).toEqual([1n, '07'.repeat(16)])
  })

  test('outcomes that no machine remembers are not remembered here: the same id may succeed later', async () => {
    const { UNAVAILABLE, IDEMPOTENCY_CONFLICT } = refusalNumbers
    expect(idsOf([client(1, UNAVAILABLE), client(2, IDEMPOTENCY_CONFLICT)])).toEqual([])
    await project(1n, [client(1, UNAVAILABLE), client(1, IDEMPOTENCY_CONFLICT)])
    expect(await rememberedCommand(world.views, idOf(1))).toBeNull()
    await project(2n, [client(1)])
    expect((await rememberedCommand(world.views, idOf(1)))?.view.code).toBe(0)
  })

  test('every other refusal is remembered', () => {
    const numbers = Object.values(refusalNumbers)
    const steps = numbers.map((code, index) => client(index + 1, code))
    const forgotten = [refusalNumbers.UNAVAILABLE, refusalNumbers.IDEMPOTENCY_CONFLICT]
    const writes = commandWrites(recordOf(1n, steps), always)
    expect(writes.map(({ fields }) => fields['code'])).toEqual(
      numbers.filter((code) => !forgotten.some((other) => other === code)),
    )
  })

  test('only commands with an id that a client gave count, also when a partition sent them on', () => {
    const from = (byte: number, origin: keyof typeof commandOrigins): Step => ({
      code: 0,
      header: { origin: commandOrigins[origin], id: idOf(byte) },
    })
    expect(idsOf([from(0, 'client'), from(1, 'client'), from(2, 'partition')])).toEqual(['01', '02'])
    expect(idsOf([from(3, 'runner'), from(4, 'outside')])).toEqual([])
  })

  test('an outcome that is not what the client gets is left to the machine that gives it', () => {
    const record = recordOf(1n, [client(1), client(2)])
    const writes = commandWrites(record, (input) => input[8] === 2)
    expect(writes.map(({ id }) => id)).toEqual(['02'.repeat(16)])
  })
})
