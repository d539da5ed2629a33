import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import { decodeHeader } from '@bourse/common/kernel/command.ts'
import type { Applied } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { decodeOpenOutcome, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import type { Watch } from './quiet-watch.ts'
import type { ReplayTape } from './tape.ts'

/**
 * The engines disagree; the message says where and about what. What follows a difference means nothing: the
 * replay ends.
 */
export class EnginesDiffer extends Error {
  override readonly name = 'EnginesDiffer'
}

/** One of the two engines of a partition. */
export interface Engine {
  readonly machine: TradingMachine
  readonly watch: Watch
}

/** The WASM engine and the reference of one partition, which get the same and must answer the same. */
export interface EnginePair {
  /**
   * Index of the first tick from `from` up to before `to` that triggers something, or `to`.
   * @throws {EnginesDiffer}
   */
  firstTrigger(tape: ReplayTape, from: number, to: number): number
  /**
   * Gives both a command, and what has to follow it at once. Answers one Applied for each command. @throws
   * {EnginesDiffer}
   */
  apply(command: Uint8Array, now: bigint, what: string): readonly Applied[]
  /** @throws {EnginesDiffer} when the state hashes differ; answers the hash. */
  stateHash(where: string): string
  /** Time spent in each engine so far, without hashes and comparing. */
  elapsedMs(): { readonly wasm: number; readonly reference: number }
  /** The WASM engine, for questions to its state. */
  readonly machine: TradingMachine
  readonly referenceAsked: () => number
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const isSame = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0

/** Where two byte strings part: offset and 16 bytes of each from there. */
const parting = (wasm: Uint8Array, reference: Uint8Array): string => {
  let at = 0
  while (at < wasm.length && wasm[at] === reference[at]) at += 1
  const shown = (bytes: Uint8Array): string =>
    `${hexOf(bytes.subarray(at, at + 16)) || 'its end'} (${bytes.length} bytes)`
  return `from byte ${at} on: WASM ${shown(wasm)}, reference ${shown(reference)}`
}

const compareOutcomes = (wasm: Applied, reference: Applied, what: string): void => {
  const [ours, theirs] = [wasm.outcomes[0]!, reference.outcomes[0]!]
  if (isSame(ours, theirs)) return
  const codes = [ours, theirs].map((outcome) => codeOfNumber(decodeOutcomeHeader(outcome).code))
  throw new EnginesDiffer(
    `${what}: the outcome differs (WASM ${codes[0]}, reference ${codes[1]}) ${parting(ours, theirs)}`,
  )
}

const compareEffects = (wasm: Applied, reference: Applied, what: string): void => {
  const [ours, theirs] = [wasm.effects, reference.effects]
  if (ours.length !== theirs.length) {
    throw new EnginesDiffer(`${what}: WASM has ${ours.length} effects, the reference ${theirs.length}`)
  }
  for (const [index, effect] of ours.entries()) {
    const other = theirs[index]!
    const place = `${what}: effect ${index + 1} of ${ours.length}`
    if (effect.to !== other.to || effect.commandIndex !== other.commandIndex) {
      throw new EnginesDiffer(`${place} goes to ${String(effect.to)} (WASM) and ${String(other.to)} (reference)`)
    }
    if (!isSame(effect.bytes, other.bytes))
      throw new EnginesDiffer(`${place} differs ${parting(effect.bytes, other.bytes)}`)
  }
}

/** The moment of a tick, for people. */
export const tickName = (tape: ReplayTape, index: number): string =>
  index < tape.count ? `tick ${index + 1} (${new Date(tape.timesMs[index]!).toISOString()})` : 'the end of the stretch'

const firstTriggerOf = ({ watch }: Engine, { prices, timesMs }: ReplayTape, from: number, to: number): number => {
  for (let index = from; index < to; index++) {
    const price = prices[index]!
    if (watch.wouldTrigger(price, price, BigInt(timesMs[index]!))) return index
  }
  return to
}

const run = ({ machine, watch }: Engine, command: Uint8Array, now: bigint, isOpen: boolean): Applied => {
  const applied = machine.apply([command], now, machine.behaviourVersion)
  const outcome = applied.outcomes[0]!
  if (isOpen && decodeOutcomeHeader(outcome).code === 0) watch.opened(decodeOpenOutcome(outcome))
  return applied
}

/** Joins two engines. `name` is the partition's. */
export const createEnginePair = (deps: {
  readonly name: string
  readonly wasm: Engine
  readonly reference: Engine
  readonly clock: Clock
}): EnginePair => {
  const { name, wasm, reference, clock } = deps
  const elapsed = { wasm: 0, reference: 0 }
  const timed = <Value>(engine: keyof typeof elapsed, work: () => Value): Value => {
    const begin = clock.monotonicMs()
    const value = work()
    elapsed[engine] += clock.monotonicMs() - begin
    return value
  }
  const applyOne = (command: Uint8Array, now: bigint, what: string): Applied => {
    const isOpen = decodeHeader(command).kind === tradingKinds.open
    const ours = timed('wasm', () => run(wasm, command, now, isOpen))
    const theirs = timed('reference', () => run(reference, command, now, isOpen))
    compareOutcomes(ours, theirs, `${name}: ${what}`)
    compareEffects(ours, theirs, `${name}: ${what}`)
    return ours
  }
  const continuation = (what: string): Uint8Array | null => {
    const [ours, theirs] = [wasm.machine.continuation(), reference.machine.continuation()]
    if (ours === null && theirs === null) return null
    if (ours === null || theirs === null || !isSame(ours, theirs))
      throw new EnginesDiffer(`${name}: ${what}: what follows differs`)
    return ours
  }
  return {
    firstTrigger: (tape, from, to) => {
      if (from >= to) return to
      const ours = timed('wasm', () => firstTriggerOf(wasm, tape, from, to))
      const theirs = timed('reference', () => firstTriggerOf(reference, tape, from, to))
      if (ours === theirs) return ours
      const first = Math.min(ours, theirs)
      const who = ours < theirs ? 'WASM' : 'the reference'
      throw new EnginesDiffer(`${name}: ${tickName(tape, first)} triggers something in ${who} alone`)
    },
    apply: (command, now, what) => {
      const all = [applyOne(command, now, what)]
      for (let next = continuation(what); next !== null; next = continuation(what)) all.push(applyOne(next, now, what))
      return all
    },
    stateHash: (where) => {
      const [ours, theirs] = [wasm.machine.stateHash(), reference.machine.stateHash()]
      if (ours !== theirs)
        throw new EnginesDiffer(`${name}: the state hash differs ${where}: WASM ${ours}, reference ${theirs}`)
      return ours
    },
    elapsedMs: () => ({ ...elapsed }),
    machine: wasm.machine,
    referenceAsked: reference.watch.asked,
  }
}
