import { codeOfNumber } from '../errors/codes.ts'
import type { Delivery } from '../ports/bus.ts'
import {
  traceContextIn,
  type MessagingNames,
  type OpenSpan,
  type SpanAttributes,
  type TraceContext,
  type Tracer,
} from '../ports/tracing.ts'
import type { Batch } from './batch.ts'
import { commandOrigins, decodeHeader, shownCommandId } from './command.ts'
import type { ContextOfEffect } from './effect-sender.ts'
import type { InboxItem } from './inbox.ts'
import type { BatchTimes } from './observer.ts'
import { decodeOutcomeHeader } from './outcome.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import type { JournalRecord } from './record.ts'

/** Messages of one batch that get spans; of more, the first. */
export const TRACED_MESSAGES_MAX = 256

/** How a partition's work is traced: with what, and what messages are called. */
export interface PartitionTracing {
  readonly tracer: Tracer
  readonly messaging: MessagingNames
}

/** The spans of a batch, begun once its record was in the journal, before anything of it leaves. */
export interface BatchTrace {
  /** What an effect of the record carries. */
  readonly contextOf: ContextOfEffect
  /** Ends the spans; their stages get the times that were. */
  end(times: Omit<BatchTimes, 'arrivedMs'>): void
}

/** Traces what a partition does with the messages that belong to a sampled trace. */
export interface BatchTracer<Observation> {
  /** Null, at the cost of one look at each input's headers, where nothing is traced. */
  begin(record: JournalRecord, batch: Batch<Observation>): BatchTrace | null
  /** A read whose answer ends its span; untraced, it is the delivery itself. */
  read(delivery: Delivery): Delivery
  /** Does something for an item within its trace. */
  within<Result>(item: InboxItem<Observation>, work: () => Result): Result
}

interface TracedInput {
  readonly index: number
  readonly context: TraceContext
  readonly arrivedMs: number
  readonly span: OpenSpan
}

const contextOfItem = <Observation>(item: InboxItem<Observation> | null): TraceContext | undefined => {
  if (item === null || item.kind === 'observation') return undefined
  return item.kind === 'internal' ? item.context : traceContextIn(item.delivery.message.headers)
}

const inputAttributes = (record: JournalRecord, index: number): SpanAttributes => {
  const { kind, origin, id, sender, sequence } = decodeHeader(record.inputs[index]!)
  const isEffect = origin === commandOrigins.partition
  const commandId = shownCommandId(id)
  return {
    'bourse.command.id': commandId,
    'bourse.command.kind': kind,
    'bourse.outcome': codeOfNumber(decodeOutcomeHeader(record.outcomes[index]!).code),
    'messaging.message.id': isEffect ? `${partitionName(sender)}/${sequence}` : commandId,
    ...(origin === commandOrigins.outside ? { 'bourse.outside_call': Number(sequence) } : null),
  }
}

/** Makes the tracer of one partition. `nowMs` is monotonic. */
export const createBatchTracer = <Observation>(
  { tracer, messaging }: PartitionTracing,
  partition: PartitionNumber,
  nowMs: () => number,
): BatchTracer<Observation> => {
  const destination = messaging.destinationOf(partition)
  const processing = {
    'messaging.system': messaging.system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': destination,
    'bourse.partition': partitionName(partition),
  }

  const beginInput = (record: JournalRecord, index: number, context: TraceContext, startMs: number): OpenSpan =>
    tracer.child(context, {
      name: `process ${destination}`,
      kind: 'consumer',
      startMs,
      attributes: {
        ...processing,
        ...inputAttributes(record, index),
        'bourse.sequence': Number(record.sequence),
        'bourse.batch.commands': record.inputs.length,
      },
    })

  const stage = (parent: TraceContext, name: string, startMs: number, endMs: number): void =>
    tracer.child(parent, { name, kind: 'internal', startMs }).end({ endMs })

  /** One for all traced messages of a batch, in the trace of the first, linked to each: what a batch does it does once. */
  const beginBatch = (record: JournalRecord, traced: readonly TracedInput[], startMs: number): OpenSpan =>
    tracer.child(traced[0]!.span.context, {
      name: `process batch ${destination}`,
      kind: 'consumer',
      startMs,
      attributes: {
        ...processing,
        'messaging.batch.message_count': record.inputs.length,
        'bourse.sequence': Number(record.sequence),
      },
      links: traced.map(({ span }) => span.context),
    })

  const end = (record: JournalRecord, traced: readonly TracedInput[], times: Omit<BatchTimes, 'arrivedMs'>): void => {
    const { takenMs, appliedMs, appendedMs, releasedMs } = times
    for (const { span, arrivedMs } of traced) stage(span.context, 'queue', arrivedMs, Math.max(arrivedMs, takenMs))
    const batch = traced.length > 1 ? beginBatch(record, traced, takenMs) : null
    const parent = batch?.context ?? traced[0]!.span.context
    stage(parent, 'apply', takenMs, appliedMs)
    stage(parent, 'append', appliedMs, appendedMs)
    stage(parent, 'reply', appendedMs, releasedMs)
    batch?.end({ endMs: releasedMs })
    const faulted = new Set(record.faulted)
    for (const { span, index } of traced)
      span.end({ endMs: releasedMs, ...(faulted.has(index) ? { error: 'the machine trapped on it' } : null) })
  }

  return {
    begin: (record, batch) => {
      const traced: TracedInput[] = []
      for (let index = 0; index < batch.sources.length; index++) {
        const source = batch.sources[index] ?? null
        const context = contextOfItem(source)
        if (context === undefined || source === null || source.kind === 'observation') continue
        const { arrivedMs } = source
        traced.push({ index, context, arrivedMs, span: beginInput(record, index, context, arrivedMs) })
        if (traced.length === TRACED_MESSAGES_MAX) break
      }
      if (traced.length === 0) return null
      const byInput = new Map(traced.map(({ index, span }) => [index, span.context]))
      return {
        contextOf: (index) => byInput.get(batch.part.causes[index] ?? -1),
        end: (times) => end(record, traced, times),
      }
    },
    read: (delivery) => {
      const context = traceContextIn(delivery.message.headers)
      if (context === undefined) return delivery
      const attributes = { ...processing, 'bourse.read': true }
      const span = tracer.child(context, {
        name: `process ${destination}`,
        kind: 'consumer',
        startMs: nowMs(),
        attributes,
      })
      return {
        ...delivery,
        reply: (reply) => {
          delivery.reply(reply)
          span.set({ 'bourse.sequence': Number(reply.sequence) })
          span.end(reply.status === 'ok' ? {} : { error: reply.status })
        },
      }
    },
    within: (item, work) => {
      const context = contextOfItem(item)
      return context === undefined ? work() : tracer.within(context, work)
    },
  }
}
