import { describe, expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { encodeCommand } from '@bourse/common/kernel/command.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { createEnginePair } from '@bourse/all-in-one/replay/engine-pair.ts'
import { createPlainWatch } from '@bourse/all-in-one/replay/quiet-watch.ts'
import { encodeContinue, encodeTick, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { bars, engines, manifest, run, specOfText, tapeOfText, tradesOf } from './support.ts'

const TRADES = ['stopped,2024-01-01T00:57:00Z,LONG,50,2,96,', 'other,2024-01-01T00:59:00Z,SHORT,100,1,,']

/** A replay in which something was done to the reference. */
const runWith = async (doctor: (reference: TradingMachine) => TradingMachine, rows = TRADES) => {
  const spec = await specOfText(manifest())
  const doctored = {
    ...engines,
    reference: (capacities: Parameters<typeof engines.reference>[0]) => doctor(engines.reference(capacities)),
  }
  return run({ spec, tape: await tapeOfText(bars, spec), trades: tradesOf(...rows), engines: doctored })
}

const kindOf = (command: Uint8Array): number => new DataView(command.buffer, command.byteOffset).getUint16(4, true)

/** Changes one byte of what the reference answers to commands of a kind. */
const changed =
  (kind: number, part: 'outcomes' | 'effects') =>
  (reference: TradingMachine): TradingMachine => ({
    ...reference,
    apply: (batch, now, behaviour) => {
      const applied = reference.apply(batch, now, behaviour)
      if (kindOf(batch[0]!) !== kind) return applied
      const bytes = part === 'outcomes' ? applied.outcomes[0]! : applied.effects[0]?.bytes
      if (bytes !== undefined) bytes[60]! ^= 1
      return applied
    },
  })

describe('A difference between the engines', () => {
  test('None is found when nothing was done to either, and both hashes are one.', async () => {
    expect(await runWith((reference) => reference)).toMatchObject({
      difference: null,
      stateHash: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  test('One byte of an outcome is found and named by trade, tick and place.', async () => {
    const { difference, stateHash, money } = await runWith(changed(tradingKinds.open, 'outcomes'))
    expect(difference).toMatch(
      /^partition 0: trade stopped at tick 1 \(2024-01-01T00:57:00\.000Z\): the outcome differs .* from byte 60 on/,
    )
    expect([stateHash, money]).toEqual([null, null])
  })

  test('One byte of an effect is found.', async () => {
    const { difference } = await runWith(changed(tradingKinds.open, 'effects'))
    expect(difference).toMatch(/^partition 0: trade stopped at tick 1 .*: effect 1 of 1 differs from byte 60 on/)
  })

  test('One byte of a tick’s outcome is found.', async () => {
    const { difference } = await runWith(changed(tradingKinds.tick, 'outcomes'), [
      'stopped,2024-01-01T00:57:00Z,LONG,50,2,96,',
    ])
    expect(difference).toMatch(/^partition 0: tick 6 \(2024-01-01T00:58:15\.000Z\): the outcome differs/)
  })

  test('A missing effect is found.', async () => {
    const { difference } = await runWith((reference) => ({
      ...reference,
      apply: (batch, now, behaviour) => ({ ...reference.apply(batch, now, behaviour), effects: [] }),
    }))
    expect(difference).toMatch(/^partition 0: trade stopped .*: WASM has 1 effects, the reference 0$/)
  })

  test('A tick that triggers something in one engine alone is found.', async () => {
    const deaf = await runWith((reference) => ({
      ...reference,
      wouldTrigger: (bid, ask, time) => bid !== 9_550_000_000n && reference.wouldTrigger(bid, ask, time),
    }))
    expect(deaf.difference).toMatch(
      /^partition 0: tick 6 \(2024-01-01T00:58:15\.000Z\) triggers something in WASM alone$/,
    )
    const jumpy = await runWith((reference) => ({
      ...reference,
      wouldTrigger: (bid, ask, time) => bid === 11_000_000_000n || reference.wouldTrigger(bid, ask, time),
    }))
    expect(jumpy.difference).toMatch(/^partition 0: tick 7 .* triggers something in the reference alone$/)
  })

  test('Another state hash is found at the end of the tape.', async () => {
    const { difference } = await runWith((reference) => ({ ...reference, stateHash: () => 'f'.repeat(32) }))
    expect(difference).toMatch(
      /^partition 0: the state hash differs after tick 20 .*: WASM [0-9a-f]{32}, reference f{32}$/,
    )
  })
})

/** A machine whose every TICK has `rest` CONTINUEs to follow. */
const longTick = (rest: number): TradingMachine => {
  let left = 0
  const machine: Pick<Machine, 'apply' | 'continuation' | 'behaviourVersion'> = {
    behaviourVersion: 1,
    apply: ([command]) => {
      const kind = kindOf(command!)
      left = kind === tradingKinds.tick ? rest : left - 1
      return {
        outcomes: [encodeOutcome({ code: 0, kind, id: new Uint8Array(16) }, new Uint8Array(0))],
        effects: [],
        settledIds: [],
      }
    },
    continuation: () => (left > 0 ? encodeContinue() : null),
  }
  return { ...engines.reference({ tradesMax: 1, idsMax: 1 }), ...machine }
}

const pairOf = (wasm: TradingMachine, reference: TradingMachine) =>
  createEnginePair({
    name: 'partition 0',
    wasm: { machine: wasm, watch: createPlainWatch(wasm) },
    reference: { machine: reference, watch: createPlainWatch(reference) },
    clock: createSystemClock(),
  })

describe('A tick that closes more than one command can', () => {
  const tick = encodeTick({ feedBid: 1n, feedAsk: 1n, quoteTime: 1n, previousBid: 0n, previousAsk: 0n })

  test('It is followed by as many CONTINUEs as the engines ask for.', () => {
    expect(pairOf(longTick(2), longTick(2)).apply(tick, 1n, 'tick 1')).toHaveLength(3)
  })

  test('Engines that do not agree on whether it goes on differ.', () => {
    expect(() => pairOf(longTick(2), longTick(1)).apply(tick, 1n, 'tick 1')).toThrow(
      'partition 0: tick 1: what follows differs',
    )
  })

  test('A command of another size than it says is given to both and refused by both.', () => {
    const pair = pairOf(engines.wasm({ tradesMax: 1, idsMax: 1 }), engines.reference({ tradesMax: 1, idsMax: 1 }))
    expect(pair.apply(encodeCommand({ kind: 999 }, new Uint8Array(8)), 1n, 'nonsense')).toHaveLength(1)
  })
})
