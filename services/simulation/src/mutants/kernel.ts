import { lines, type Mutant } from './mutant.ts'

const KERNEL = 'services/common/src/kernel'
const COMMON = 'services/common/src'

/** Bugs of the partition kernel and of what folds its records. */
export const kernelMutants: readonly Mutant[] = [
  {
    name: 'acknowledged-before-append',
    what: 'answers leave before their record is in the journal',
    file: `${KERNEL}/runner.ts`,
    find: '    const stored = encodeRecord(record, writer)\n',
    replace: '    const stored = encodeRecord(record, writer)\n    releaseReplies(batch, record)\n',
  },
  {
    name: 'effects-before-append',
    what: 'effects to other partitions leave before their record is in the journal',
    file: `${KERNEL}/runner.ts`,
    find: '    const stored = encodeRecord(record, writer)\n',
    replace: '    const stored = encodeRecord(record, writer)\n    sender.release(record.sequence, record.effects)\n',
  },
  {
    name: 'outside-calls-before-append',
    what: 'the exchange and the banks are called before the decision is in the journal',
    file: `${KERNEL}/runner.ts`,
    find: '    const stored = encodeRecord(record, writer)\n',
    replace: '    const stored = encodeRecord(record, writer)\n    outside?.release(record.effects)\n',
  },
  {
    name: 'fence-ignored',
    what: 'an append that another writer has won counts as done',
    file: `${KERNEL}/appender.ts`,
    find: "      return (await settled(deps.journal, partition, record)) ?? 'failed'",
    replace: "      return 'confirmed'",
  },
  {
    name: 'doubtful-append-taken-as-done',
    what: 'an append nobody heard of counts as done without looking',
    file: `${KERNEL}/appender.ts`,
    find: "      if (error.kind === 'closed') return 'failed'",
    replace: "      if (error.kind !== 'unavailable') return 'confirmed'",
  },
  {
    name: 'effect-dedupe-forgotten',
    what: 'an effect that comes a second time is applied a second time',
    file: `${KERNEL}/batch.ts`,
    find: '    const mark = marks.get(sender) ?? deps.state.marks.get(sender) ?? 0n\n',
    replace: '    const mark = sequence - 1n\n',
  },
  {
    name: 'effect-gap-accepted',
    what: 'an effect that overtook others is applied, and those others are lost',
    file: `${KERNEL}/batch.ts`,
    find: '    if (sequence !== mark + 1n) {',
    replace: '    if (sequence < mark + 1n) {',
  },
  {
    name: 'cursor-ahead-of-the-send',
    what: 'the saved cursor counts effects as confirmed that were only decided',
    file: `${KERNEL}/effect-sender.ts`,
    find: '        confirmed: lane.confirmed,\n        recordSequence: startOf(lane),',
    replace: '        confirmed: lane.highest,\n        recordSequence: startOf(lane),',
  },
  {
    name: 'lost-effects-not-resent',
    what: 'an effect that the bus lost is never sent again',
    file: `${KERNEL}/effect-sender.ts`,
    find: '        lane.sent = 0\n        pump(lane)\n      }\n    },\n    confirmedThrough',
    replace: '        pump(lane)\n      }\n    },\n    confirmedThrough',
  },
  {
    name: 'marks-missing-in-snapshot',
    what: 'after a restart from a snapshot the partition has forgotten which effects it has applied',
    file: `${KERNEL}/snapshot-codec.ts`,
    find: '      map.set(view.getUint32(at, true), view.getBigUint64(at + 4, true))',
    replace: '      if (map !== state.marks) map.set(view.getUint32(at, true), view.getBigUint64(at + 4, true))',
  },
  {
    name: 'outside-calls-missing-in-snapshot',
    what: 'after a restart from a snapshot calls to the outside that were under way are forgotten',
    file: `${KERNEL}/snapshot-codec.ts`,
    find: '    state.outsideCalls.set(view.getBigUint64(at, true), body.slice(at + 12, at + 12 + bytes))\n',
    replace: '',
  },
  {
    name: 'snapshot-without-its-tail',
    what: 'a restart takes the snapshot for the whole state and does not replay the records after it',
    file: `${KERNEL}/recovery.ts`,
    find: '      for (const { record, hash } of records) replayRecord(state, record, hash)\n',
    replace: lines(
      '      for (const { record, hash } of records) {',
      '        if (snapshotSequence === 0n) replayRecord(state, record, hash)',
      '        else Object.assign(state, { sequence: record.sequence, hash, now: record.now })',
      '      }',
      '',
    ),
  },
  {
    name: 'damaged-snapshot-trusted',
    what: 'the checksum and the state hash of a snapshot are not looked at',
    file: `${KERNEL}/snapshot-codec.ts`,
    find: "  if (Buffer.compare(digest, bytes.subarray(104, 136)) !== 0) fail('its SHA-256 does not match')",
    replace: '  bytes.subarray(64, 96).fill(0)',
  },
  {
    name: 'clock-read-in-apply',
    what: 'records carry one time and are applied at another',
    file: `${KERNEL}/partition-state.ts`,
    find: '  const applied = state.machine.apply(inputs, now, state.behaviour, refused)',
    replace:
      '  const applied = state.machine.apply(inputs, now + BigInt(performance.now() | 0), state.behaviour, refused)',
  },
  {
    name: 'time-goes-back',
    what: 'a clock that is put back puts the partition’s time back',
    file: `${KERNEL}/runner.ts`,
    find: '    return state !== null && state.now > now ? state.now : now',
    replace: '    return now',
  },
  {
    name: 'read-from-unjournaled-state',
    what: 'a strong read is answered by a former owner without a look at the journal',
    file: `${KERNEL}/runner.ts`,
    find: lines(
      '      const head = await journal.head(partition)',
      '      const same = head === null ? served.sequence === 0n : Buffer.compare(head.hash, served.hash) === 0',
    ),
    replace: '      const head = { sequence: served.sequence }\n      const same = true',
  },
  {
    name: 'reads-not-flushed',
    what: 'balances are read before the money of the trades that were seen has reached the ledger',
    file: `${KERNEL}/reads.ts`,
    find: '    if (receiver === undefined || deps.sender.confirmedThrough(receiver) >= number) {',
    replace: '    if (receiver === undefined || number >= 0n) {',
  },
  {
    name: 'maybe-sent-forgotten',
    what: 'after a takeover an order is sent again without asking whether it was sent before',
    file: `${KERNEL}/outside-caller.ts`,
    find: 'maybeSent: true',
    replace: 'maybeSent: false',
  },
  {
    name: 'projection-skips',
    what: 'the views leave out a record whose projection failed once',
    file: `${COMMON}/views/projector.ts`,
    find: '        await deps.views.project(deps.projection, partition, event.sequence, writes)\n',
    replace:
      '        await deps.views.project(deps.projection, partition, event.sequence, writes).catch(() => undefined)\n',
  },
]
