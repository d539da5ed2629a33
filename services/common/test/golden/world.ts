import { createHash } from 'node:crypto'
import { decodeCall, encodeAnswer, type BridgeAnswer, type BridgeCall } from '@bourse/bridge/codec/calls.ts'
import { withSender } from '@bourse/common/kernel/command.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import {
  advance,
  applyCommands,
  emptyPart,
  emptyState,
  recordOf,
  type PartitionState,
} from '@bourse/common/kernel/partition-state.ts'
import { encodeRecord, OUTSIDE_RECEIVER } from '@bourse/common/kernel/record.ts'
import { stateHashOf } from '@bourse/common/kernel/snapshot-codec.ts'
import type { StoredRecord } from '@bourse/common/ports/journal.ts'
import { machinesOf, places, type Expected } from './journals.ts'

/** A Tuesday at 08:00 UTC. */
const START = 1_767_081_600_000n

/** Sixteen bytes that follow from a name. */
export const idOf = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(name).digest().subarray(0, 16))

interface WaitingCall {
  readonly from: PartitionNumber
  readonly number: bigint
  readonly call: BridgeCall
}

/** Real machines under a kernel moved by hand: every command becomes a record, every effect reaches its receiver. */
export const createGoldenWorld = () => {
  const partitions = [...places.ledgers, places.trading, places.bridge]
  const states = new Map<PartitionNumber, PartitionState>()
  for (const partition of partitions) states.set(partition, emptyState(partition, machinesOf(partition)[0]![1]()))
  const journals = new Map<PartitionNumber, StoredRecord[]>(partitions.map((partition) => [partition, []]))
  const calls: WaitingCall[] = []
  const waiting: { readonly to: PartitionNumber; readonly bytes: Uint8Array }[] = []
  let now = START

  const commit = (partition: PartitionNumber, commands: readonly Uint8Array[]): void => {
    const state = states.get(partition)!
    const part = emptyPart()
    applyCommands(state, part, commands, now)
    const record = recordOf(state, part, now)
    const stored = encodeRecord(record)
    advance(state, record, stored.hash)
    journals.get(partition)!.push(stored)
    for (const { receiver, number, bytes } of record.effects) {
      if (receiver === OUTSIDE_RECEIVER) calls.push({ from: partition, number, call: decodeCall(bytes) })
      else waiting.push({ to: receiver, bytes: withSender(bytes, partition, number) })
    }
    const rest = state.machine.continuation()
    if (rest !== null) commit(partition, [rest])
  }
  const send = (partition: PartitionNumber, ...commands: readonly Uint8Array[]): void => {
    commit(partition, commands)
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) commit(next.to, [next.bytes])
  }

  return {
    now: () => now,
    later: (ms: bigint): void => {
      now += ms
    },
    send,
    /** Answers the calls to the outside that wait, one after the other, until none does. */
    answerCalls: (answerOf: (call: BridgeCall) => BridgeAnswer): void => {
      for (let next = calls.shift(); next !== undefined; next = calls.shift()) {
        const command = encodeAnswer(answerOf(next.call))
        new DataView(command.buffer, command.byteOffset).setBigUint64(48, next.number, true)
        send(next.from, command)
      }
    },
    journals,
    expected: (): Expected[] =>
      partitions.map((partition) => ({
        partition,
        records: journals.get(partition)!.length,
        lastHash: Buffer.from(states.get(partition)!.hash).toString('hex'),
        stateHash: stateHashOf(states.get(partition)!),
      })),
  }
}

/** A golden world. */
export type GoldenWorld = ReturnType<typeof createGoldenWorld>
