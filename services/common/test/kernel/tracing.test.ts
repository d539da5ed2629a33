import { describe, expect, test } from '@jest/globals'
import { partitionName } from '../../src/kernel/partition.ts'
import type { Tracer } from '../../src/ports/tracing.ts'
import { createTracingKit, type ExportedSpan, type TracingKit } from '../telemetry/tracing-kit.ts'
import { add, DEADLINE_MS, forward, HERE, THERE, until, worldOfEachTest } from './harness.ts'
import { tallyCommand, tallyKinds, tallyQuestion } from './tally-machine.ts'

const { world, send, total } = worldOfEachTest()

const messaging = { system: 'bourse_embedded', destinationOf: partitionName, replyDestination: 'reply' }
const tracingOf = ({ tracer }: TracingKit): { tracer: Tracer; messaging: typeof messaging } => ({ tracer, messaging })

const contextOf = (number: number) => ({
  traceparent: `00-${number.toString(16).padStart(32, '0')}-${number.toString(16).padStart(16, '0')}-01`,
})
const spanIdOf = (number: number): string => number.toString(16).padStart(16, '0')

/** A command within the trace of this number. */
const sendTraced = (body: Uint8Array, number: number) =>
  world.bus.request(HERE, { type: 'command', body, deadlineMs: DEADLINE_MS, headers: contextOf(number) })

const stagesOf = (kit: TracingKit, span: ExportedSpan): string[] =>
  kit
    .spans()
    .filter(({ parentSpanId }) => parentSpanId === span.spanId)
    .toSorted((one, other) => one.startMs - other.startMs)
    .map(({ name }) => name)

const HERE_PROCESS = `process ${partitionName(HERE)}`
const THERE_PROCESS = `process ${partitionName(THERE)}`

describe('a traced partition', () => {
  test('has a span for a traced command, under its sender, with its stages, and none for another', async () => {
    const kit = createTracingKit()
    const runner = world.run(HERE, { tracing: tracingOf(kit) })
    await runner.start()
    await send(add(1n, 1))
    expect(kit.spans()).toEqual([])
    await sendTraced(add(2n, 2), 7)
    await runner.stop({ snapshot: false })
    const [process, ...others] = kit.named(HERE_PROCESS)
    expect(others).toEqual([])
    expect(process).toMatchObject({
      traceId: contextOf(7).traceparent.slice(3, 35),
      parentSpanId: spanIdOf(7),
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'ledger/0',
        'bourse.partition': 'ledger/0',
        'bourse.sequence': 2,
        'bourse.outcome': 'OK',
        'bourse.command.id': '01000000-0000-0000-0000-000002000000',
      },
    })
    expect(stagesOf(kit, process!)).toEqual(['queue', 'apply', 'append', 'reply'])
    expect(kit.spans()).toHaveLength(5)
    const append = kit.named('append')[0]!
    expect(append.endMs).toBeGreaterThan(append.startMs)
    expect(process!.endMs).toBeGreaterThanOrEqual(append.endMs)
  })

  test('has one span for a batch with several traced messages, linked to each, and the stages in it', async () => {
    const kit = createTracingKit()
    const runner = world.run(HERE, { tracing: tracingOf(kit) })
    // Queued before it starts, so that they are one batch.
    const answers = [1, 2, 3].map((number) => sendTraced(add(1n, number), number))
    const untraced = send(add(1n, 9))
    await runner.start()
    await Promise.all([...answers, untraced])
    await runner.stop({ snapshot: false })
    const processes = kit.named(HERE_PROCESS)
    expect(processes.map(({ parentSpanId }) => parentSpanId)).toEqual([1, 2, 3].map(spanIdOf))
    const [batch, ...others] = kit.named(`process batch ${partitionName(HERE)}`)
    expect(others).toEqual([])
    expect(batch!.links).toEqual(processes.map(({ spanId }) => spanId))
    expect(batch!.attributes).toMatchObject({ 'messaging.batch.message_count': 4, 'bourse.sequence': 1 })
    expect(batch!.parentSpanId).toBe(processes[0]!.spanId)
    expect(stagesOf(kit, batch!)).toEqual(['apply', 'append', 'reply'])
    expect(processes.slice(1).map((process) => stagesOf(kit, process))).toEqual([['queue'], ['queue']])
  })

  test('gives each effect the trace of the command that caused it, and none to the others', async () => {
    const kit = createTracingKit()
    const here = world.run(HERE, { tracing: tracingOf(kit) })
    const there = world.run(THERE, { tracing: tracingOf(kit) })
    const answers = [sendTraced(forward(1n), 1), send(forward(2n)), sendTraced(forward(4n), 2)]
    await here.start()
    await there.start()
    await Promise.all(answers)
    await until(world.clock, () => here.status().unconfirmedEffects === 0)
    expect(await total(THERE)).toBe(7n)
    await here.stop({ snapshot: false })
    await there.stop({ snapshot: false })
    const causes = kit.named(HERE_PROCESS)
    expect(kit.named(THERE_PROCESS).map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual(
      causes.map(({ traceId, spanId }) => [traceId, spanId]),
    )
    expect(kit.named(THERE_PROCESS).map(({ attributes }) => attributes['messaging.message.id'])).toEqual([
      'ledger/0/1',
      'ledger/0/3',
    ])
  })

  test('calls the outside within the trace, and its answer goes on in it', async () => {
    const kit = createTracingKit()
    const within: unknown[] = []
    const runner = world.run(HERE, {
      tracing: tracingOf(kit),
      host: {
        execute: async () => {
          within.push(kit.tracer.active())
          await world.clock.sleep(5)
          within.push(kit.tracer.active())
          return tallyCommand(tallyKinds.answer, [5n])
        },
      },
    })
    await runner.start()
    await sendTraced(tallyCommand(tallyKinds.call, [5n]), 3)
    await send(tallyCommand(tallyKinds.call, [6n]))
    await until(world.clock, () => runner.status().outsideCalls === 0)
    await runner.stop({ snapshot: false })
    const [call, answer, ...others] = kit.named(HERE_PROCESS)
    expect(others).toEqual([])
    expect(within.filter((context) => context !== undefined)).toEqual([
      { traceparent: `00-${call!.traceId}-${call!.spanId}-01` },
      { traceparent: `00-${call!.traceId}-${call!.spanId}-01` },
    ])
    expect(within).toHaveLength(4)
    expect(answer).toMatchObject({ traceId: call!.traceId, parentSpanId: call!.spanId })
    expect(answer!.attributes['bourse.outside_call']).toBe(1)
  })

  test('resolves inputs within the trace, and ends the span of a read with its answer', async () => {
    const kit = createTracingKit()
    const within: unknown[] = []
    const runner = world.run(HERE, {
      tracing: tracingOf(kit),
      host: { resolve: (command) => (within.push(kit.tracer.active()), command) },
    })
    await runner.start()
    await sendTraced(add(1n), 4)
    await send(add(1n))
    expect(within).toEqual([contextOf(4), undefined])
    const message = { type: 'read', body: tallyQuestion(), deadlineMs: DEADLINE_MS, headers: contextOf(5) } as const
    await world.bus.request(HERE, message)
    await runner.stop({ snapshot: false })
    const read = kit.named(HERE_PROCESS).find(({ parentSpanId }) => parentSpanId === spanIdOf(5))
    expect(read?.attributes).toMatchObject({ 'bourse.read': true, 'bourse.sequence': 2 })
  })

  test('journals the same bytes whether it is traced or not', async () => {
    const bytesOf = async (partition: typeof HERE): Promise<string[]> => {
      const bytes: string[] = []
      for await (const { body } of world.journal.readFrom(partition, 1n)) {
        // Without time, previous hash, partition and the mark of the tenure.
        bytes.push(Buffer.from(body.subarray(88)).toString('hex'))
      }
      return bytes
    }
    const traced = world.run(HERE, { tracing: tracingOf(createTracingKit()) })
    const plain = world.run(THERE)
    await traced.start()
    await plain.start()
    for (const number of [1, 2, 3]) {
      await sendTraced(add(1n, number), number)
      await world.client.command(THERE, add(1n, number), DEADLINE_MS)
    }
    expect(await bytesOf(HERE)).toEqual(await bytesOf(THERE))
    expect(await bytesOf(HERE)).toHaveLength(3)
    await traced.stop({ snapshot: false })
    await plain.stop({ snapshot: false })
  })
})
