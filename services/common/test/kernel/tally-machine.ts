import { createHash } from 'node:crypto'
import { refusalNumbers } from '../../src/errors/codes.ts'
import { bodyOf, commandOrigins, decodeHeader, encodeCommand, KIND_TIME } from '../../src/kernel/command.ts'
import { OUTSIDE, type Applied, type Effect, type Machine, type QueryAnswer } from '../../src/kernel/machine.ts'
import { decodeOutcomeHeader, encodeOutcome, outcomeBodyOf } from '../../src/kernel/outcome.ts'

/**
 * The smallest machine that uses everything the kernel promises: it adds numbers, forwards to other partitions, calls
 * the
 * outside, has deadlines and continuations, and traps on demand.
 */
export const tallyKinds = { add: 1, forward: 2, call: 3, trap: 4, remindAt: 5, burst: 6, rest: 7, answer: 8 } as const

interface Tally {
  total: bigint
  reminders: bigint
  answers: bigint
  deadline: bigint
  burstLeft: bigint
  ids: Map<string, { hash: string; outcome: Uint8Array }>
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const numbers = (...values: bigint[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 8)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => view.setBigInt64(index * 8, value, true))
  return bytes
}

const numberAt = (bytes: Uint8Array, index: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(index * 8, true)

/** A 16-byte id from a small number. */
export const idOf = (number: number): Uint8Array => {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, number, true)
  bytes[0] = 1
  return bytes
}

/** A command of the tally machine. `id` 0 means none. */
export const tallyCommand = (kind: number, values: readonly bigint[], id = 0, hashSeed = 0): Uint8Array =>
  encodeCommand(
    id === 0
      ? { kind }
      : {
          kind,
          id: idOf(id),
          requestHash: createHash('sha256').update(`${kind}${values.join()}${hashSeed}`).digest().subarray(0, 16),
        },
    numbers(...values),
  )

/** The running total in an outcome. */
export const totalIn = (outcome: Uint8Array): bigint => numberAt(outcomeBodyOf(outcome), 0)

/** Asks for the total, or (with an id) for the outcome of that id, pending while unknown. */
export const tallyQuestion = (id = 0): Uint8Array => tallyCommand(200, [], id)

/** What tests read from outside the protocol. */
export interface TallyMachine extends Machine {
  readonly tally: Readonly<Tally>
}

/** How many times a trap command was executed, over all instances: a discarded instance must not run it for ever. */
export const trapRuns = { count: 0 }

/** Makes an empty machine. Behaviour 2 doubles what behaviour 1 adds. */
export const createTallyMachine = (behaviourVersion = 1): TallyMachine => {
  let tally: Tally = { total: 0n, reminders: 0n, answers: 0n, deadline: 0n, burstLeft: 0n, ids: new Map() }

  const execute = (command: Uint8Array, index: number, behaviour: number, effects: Effect[]): Uint8Array => {
    const header = decodeHeader(command)
    const body = bodyOf(command)
    const done = (): Uint8Array => encodeOutcome({ code: 0, kind: header.kind, id: header.id }, numbers(tally.total))
    switch (header.kind) {
      case tallyKinds.add:
        tally.total += numberAt(body, 0) * BigInt(behaviour)
        return done()
      case tallyKinds.forward:
        effects.push({
          to: Number(numberAt(body, 1)),
          bytes: tallyCommand(tallyKinds.add, [numberAt(body, 0)]),
          commandIndex: index,
        })
        return done()
      case tallyKinds.call:
        effects.push({ to: OUTSIDE, bytes: numbers(numberAt(body, 0)), commandIndex: index })
        return done()
      case tallyKinds.answer:
        tally.answers += numberAt(body, 0)
        return done()
      case tallyKinds.trap:
        trapRuns.count += 1
        tally.total += 1_000_000n
        throw new Error('trap')
      case tallyKinds.remindAt:
        tally.deadline = numberAt(body, 0)
        return done()
      case tallyKinds.burst:
        tally.burstLeft = numberAt(body, 0)
        return done()
      case tallyKinds.rest:
        tally.burstLeft -= 1n
        tally.total += 10n
        return done()
      case KIND_TIME:
        tally.reminders += 1n
        tally.deadline = 0n
        return done()
      default:
        return encodeOutcome(
          { code: refusalNumbers.INVALID_COMMAND, kind: header.kind, id: header.id },
          new Uint8Array(),
        )
    }
  }

  const answerOrExecute = (
    command: Uint8Array,
    index: number,
    behaviour: number,
    refused: boolean,
    effects: Effect[],
  ): Uint8Array => {
    const header = decodeHeader(command)
    const key = hex(header.id)
    const hasId = header.id.some((byte) => byte !== 0)
    const known = hasId ? tally.ids.get(key) : undefined
    if (known !== undefined) {
      return known.hash === hex(header.requestHash)
        ? known.outcome
        : encodeOutcome(
            { code: refusalNumbers.IDEMPOTENCY_CONFLICT, kind: header.kind, id: header.id },
            new Uint8Array(),
          )
    }
    const outcome = refused
      ? encodeOutcome({ code: refusalNumbers.ENGINE_FAULT, kind: header.kind, id: header.id }, new Uint8Array())
      : execute(command, index, behaviour, effects)
    if (hasId) tally.ids.set(key, { hash: hex(header.requestHash), outcome })
    return outcome
  }

  const encoded = (): Uint8Array => {
    const ids = [...tally.ids].sort(([a], [b]) => (a < b ? -1 : 1))
    const plain = {
      ...tally,
      total: `${tally.total}`,
      reminders: `${tally.reminders}`,
      answers: `${tally.answers}`,
      deadline: `${tally.deadline}`,
      burstLeft: `${tally.burstLeft}`,
      ids: ids.map(([id, kept]) => [id, kept.hash, hex(kept.outcome)]),
    }
    return Buffer.from(JSON.stringify(plain))
  }

  return {
    get tally() {
      return tally
    },
    schemaVersion: 1,
    behaviourVersion,
    apply: (batch, _now, behaviour, refused): Applied => {
      const effects: Effect[] = []
      const outcomes = batch.map((command, index) =>
        answerOrExecute(command, index, behaviour, refused?.has(index) ?? false, effects),
      )
      return { outcomes, effects, settledIds: outcomes.map((outcome) => decodeOutcomeHeader(outcome).id) }
    },
    continuation: () =>
      tally.burstLeft > 0n
        ? encodeCommand({ kind: tallyKinds.rest, origin: commandOrigins.runner }, new Uint8Array())
        : null,
    nextDeadline: () => (tally.deadline === 0n ? null : tally.deadline),
    query: (question): QueryAnswer => {
      const { id } = decodeHeader(question)
      if (!id.some((byte) => byte !== 0)) {
        return { bytes: encodeOutcome({ code: 0, kind: 200, id }, numbers(tally.total)), pending: false }
      }
      const known = tally.ids.get(hex(id))
      return known === undefined
        ? {
            bytes: encodeOutcome({ code: refusalNumbers.NOT_FOUND, kind: 200, id }, new Uint8Array()),
            pending: true,
            wakeId: id.slice(),
          }
        : { bytes: known.outcome, pending: false }
    },
    snapshot: encoded,
    restore: (bytes) => {
      const plain = JSON.parse(Buffer.from(bytes).toString()) as Record<
        'total' | 'reminders' | 'answers' | 'deadline' | 'burstLeft',
        string
      > & { ids: [string, string, string][] }
      tally = {
        total: BigInt(plain.total),
        reminders: BigInt(plain.reminders),
        answers: BigInt(plain.answers),
        deadline: BigInt(plain.deadline),
        burstLeft: BigInt(plain.burstLeft),
        ids: new Map(plain.ids.map(([id, hash, outcome]) => [id, { hash, outcome: Buffer.from(outcome, 'hex') }])),
      }
    },
    stateHash: () => createHash('sha256').update(encoded()).digest('hex').slice(0, 32),
  }
}
