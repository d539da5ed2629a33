/** The border of the trading module: what it imports, how it fails, how it goes on. */
import { describe, expect, test } from '@jest/globals'
import { createReferenceTradingMachine } from '@bourse/risk-rules/reference/trading/machine.ts'
import { encodeCommand } from '@bourse/common/kernel/command.ts'
import type { Applied } from '@bourse/common/kernel/machine.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { instantiate } from '@bourse/risk-rules/host/instance.ts'
import type { MachineExports } from '@bourse/risk-rules/host/instance.ts'
import { createWasmMachine } from '@bourse/risk-rules/host/machine.ts'
import {
  CLOSES_MAX,
  decodeOpenIdsAnswer,
  decodeTickOutcome,
  decodeTradesAnswer,
  encodeContinue,
  encodeOpenIdsQuery,
  encodeSpec,
  encodeTradesQuery,
  TIER_TABLES_MAX,
  tradingKinds,
  tradingQueryKinds,
} from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { close, codeOf, createRandom, idOf, open, spec, START, tick, units } from './trading-kit.ts'
import { borderOf, MACHINE_EXPORTS } from './module-kit.ts'

const wasm = loadTradingModule()

const create = (tradesMax = 16, idsMax = 64): TradingMachine => createTradingMachine({ wasm, tradesMax, idsMax })
const started = (machine: TradingMachine): TradingMachine => {
  machine.apply([encodeSpec(spec), tick('50000')], START, machine.behaviourVersion)
  return machine
}
const toldBy = ({ outcomes, effects }: Applied): string[] => hexOf([...outcomes, ...effects.map(({ bytes }) => bytes)])
const hexOf = (bytes: readonly Uint8Array[]): string[] => bytes.map((one) => Buffer.from(one).toString('hex'))

describe('the trading module', () => {
  test('imports nothing but abort and exports what is listed', () => {
    expect(borderOf(wasm)).toEqual({ imports: ['env.abort'], exports: [...MACHINE_EXPORTS, 'wouldTrigger'] })
  })

  test('never grows after start, however full it gets', () => {
    const { machine, exports } = createWasmMachine<
      MachineExports & { readonly init: (trades: number, ids: number) => void }
    >({
      wasm,
      machine: 2,
      schemaVersion: 2,
      behaviourVersion: 1,
      capacities: [200, 300],
      init: (instance) => instance.init(200, 300),
    })
    const bytes = exports().memory.buffer.byteLength
    machine.apply(
      [encodeSpec({ ...spec, maxOpenTrades: 0, maxNetNotional: 0n }), tick('50000')],
      START,
      machine.behaviourVersion,
    )
    const codes = new Set<string>()
    for (let i = 0; i < 400; i++) {
      const command = open({
        id: `${i}`,
        account: `${i % 7}`,
        margin: '100',
        leverage: 10,
        price: '50000',
        stopLoss: '49000',
      })
      codes.add(codeOf(machine.apply([command], START, machine.behaviourVersion).outcomes[0]!))
    }
    expect([...codes].sort()).toEqual(['CAPACITY_EXCEEDED', 'OK', 'UNAVAILABLE'])
    machine.apply([tick('48000')], START, machine.behaviourVersion)
    expect(exports().memory.buffer.byteLength).toBe(bytes)
  })

  test('cannot be made for more than it can hold, nor twice', () => {
    expect(() => createTradingMachine({ wasm, tradesMax: 2 ** 20 + 1, idsMax: 1 })).toThrow('tradesMax')
    expect(() => createTradingMachine({ wasm, tradesMax: 1, idsMax: 0 })).toThrow('idsMax')
    const exports = instantiate(wasm) as MachineExports & { readonly init: (trades: number, ids: number) => void }
    exports.init(4, 4)
    expect(() => exports.init(4, 4)).toThrow('gave up')
  })

  test('refuses random bytes without a trap and without a trace', () => {
    const machine = started(create())
    machine.apply([open({ id: 'one', margin: '100', leverage: 10, price: '50000' })], START, machine.behaviourVersion)
    const hash = machine.stateHash()
    const random = createRandom(7)
    for (let i = 0; i < 20_000; i++) {
      const bytes = new Uint8Array(random.below(400))
      for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256)
      const size = random.pick([8, 24, 40, 56, 88, 200, bytes.length])
      const framed = encodeCommand({ kind: random.below(12) }, bytes.subarray(0, size))
      const command = random.chance(40) ? bytes : framed.subarray(0, random.chance(90) ? undefined : 40)
      const { outcomes, effects } = machine.apply([command], START, machine.behaviourVersion)
      // With the size of a CLOSE or UPDATE, random bytes are a question for a trade that is not there.
      const sized: Record<number, number> = { 112: tradingKinds.close, 120: tradingKinds.update }
      const isKnown = sized[command.length] === decodeOutcomeHeader(outcomes[0]!).kind
      const codes = isKnown ? ['INVALID_COMMAND', 'TRADE_NOT_FOUND'] : ['INVALID_COMMAND']
      expect(codes).toContain(codeOf(outcomes[0]!))
      expect(effects).toEqual([])
      if (i % 100 === 0) expect(machine.stateHash()).toBe(hash)
    }
    expect(machine.stateHash()).toBe(hash)
  })

  test('takes whatever values the fields of a command can have without a trap, as the reference does', () => {
    const random = createRandom(11)
    const kinds = Object.values(tradingKinds)
    const bodies: Record<number, number> = { 1: 200, 2: 88, 3: 56, 4: 40, 5: 0, 6: 24, 7: 8, 8: 64 }
    const usual = [units('50000'), 10n ** 17n, 10n ** 16n, 1_000n, START, 1n << 32n, 0x0100000000000001n]
    const edges = [0n, 1n, -1n, (1n << 63n) - 1n, -(1n << 63n), ...usual]
    const reference = createReferenceTradingMachine({ tradesMax: 8, idsMax: 4_096 })
    const machine = create(8, 4_096)
    for (const each of [reference, machine]) started(each)
    for (let i = 0; i < 12_000; i++) {
      const kind = random.pick(kinds)
      const bytes = new Uint8Array(bodies[kind]!)
      const view = new DataView(bytes.buffer)
      for (let at = 0; at < bytes.length; at += 8) {
        view.setBigInt64(at, random.chance(80) ? random.pick(edges) : random.bigBelow(1n << 62n), true)
      }
      if (kind === 2) view.setUint32(16, 0x01000003, true)
      const command = encodeCommand({ kind, id: kind === 2 ? idOf(i) : new Uint8Array(16) }, bytes)
      const now = START + BigInt(i) * 1_000n
      const expected = reference.apply([command], now, machine.behaviourVersion)
      const found = machine.apply([command], now, machine.behaviourVersion)
      expect(toldBy(found)).toEqual(toldBy(expected))
      if (i % 50 === 0) expect(machine.stateHash()).toBe(reference.stateHash())
    }
  })

  test('answers questions that are none with INVALID_COMMAND', () => {
    const machine = started(create())
    const random = createRandom(13)
    for (let i = 0; i < 2_000; i++) {
      const bytes = new Uint8Array(random.below(96))
      for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256)
      expect(codeOf(machine.query(bytes).bytes)).toBe('INVALID_COMMAND')
      expect(codeOf(machine.query(encodeCommand({ kind: 200 + random.below(10) }, bytes)).bytes)).toBe(
        'INVALID_COMMAND',
      )
    }
    const short = encodeCommand({ kind: tradingQueryKinds.trades }, new Uint8Array(8))
    expect(codeOf(machine.query(short).bytes)).toBe('INVALID_COMMAND')
  })

  test(`closes at most ${CLOSES_MAX} trades at once; the rest continues before anything else, across a restore`, () => {
    const total = CLOSES_MAX + 150
    const capacities = { tradesMax: 5_000, idsMax: 6_000 }
    const wide = { ...spec, maxOpenTrades: 0, maxNetNotional: 0n, maxNotional: 0n }
    const pair = [create(capacities.tradesMax, capacities.idsMax), createReferenceTradingMachine(capacities)] as const
    const commands = Array.from({ length: total }, (_, i) => {
      const words = { id: `${i}`, account: `${i % 50}`, margin: '100', leverage: 10, price: '50000' }
      return open(i % 3 === 0 ? { ...words, stopLoss: '49000' } : words)
    })
    for (const machine of pair)
      machine.apply([encodeSpec(wide), tick('50000'), ...commands], START, machine.behaviourVersion)
    const [first, expected] = pair.map((machine) => machine.apply([tick('45000')], START, machine.behaviourVersion))
    expect(hexOf(first!.outcomes)).toEqual(hexOf(expected!.outcomes))
    expect(first!.effects).toHaveLength(CLOSES_MAX)
    expect(decodeTickOutcome(first!.outcomes[0]!)).toMatchObject({ more: true })

    const machine = create(capacities.tradesMax, capacities.idsMax)
    machine.restore(pair[0].snapshot())
    expect(machine.stateHash()).toBe(pair[1].stateHash())
    expect(machine.continuation()).toEqual(encodeContinue())
    expect(codeOf(machine.apply([close(1n, '50000')], START, machine.behaviourVersion).outcomes[0]!)).toBe(
      'INVALID_COMMAND',
    )
    const rest = [machine, pair[1]].map((each) => each.apply([each.continuation()!], START, each.behaviourVersion))
    expect(hexOf(rest[0]!.outcomes)).toEqual(hexOf(rest[1]!.outcomes))
    const { closed, more } = decodeTickOutcome(rest[0]!.outcomes[0]!)
    expect([closed.length, more]).toEqual([150, false])
    expect(closed.every(({ tradeNumber }, index) => index === 0 || tradeNumber > closed[index - 1]!.tradeNumber)).toBe(
      true,
    )
    expect(machine.continuation()).toBeNull()
    expect(codeOf(machine.apply([encodeContinue()], START, machine.behaviourVersion).outcomes[0]!)).toBe(
      'INVALID_COMMAND',
    )
    expect(machine.stateHash()).toBe(pair[1].stateHash())
  })

  test('lists an account’s trades and all holds in pages, also after a restore that follows closes', () => {
    const machine = started(create())
    for (let i = 0; i < 9; i++)
      machine.apply(
        [open({ id: `${i}`, margin: `${10 + i}`, leverage: 1, price: '50000' })],
        START,
        machine.behaviourVersion,
      )
    machine.apply([close(1n, '50000'), close(5n, '50000'), close(9n, '50000')], START, machine.behaviourVersion)
    machine.apply([open({ id: 'late', margin: '30', leverage: 1, price: '50000' })], START, machine.behaviourVersion)
    const restored = create()
    restored.restore(machine.snapshot())
    for (const each of [machine, restored]) {
      const page = decodeTradesAnswer(each.query(encodeTradesQuery(idOf('ann'), 2n, 3)).bytes)
      expect([page.trades.map(({ tradeNumber }) => tradeNumber), page.more]).toEqual([[3n, 4n, 6n], true])
      const last = decodeTradesAnswer(each.query(encodeTradesQuery(idOf('ann'), 6n, 9)).bytes)
      expect([last.trades.map(({ tradeNumber }) => tradeNumber), last.more]).toEqual([[7n, 8n, 10n], false])
      const ids: bigint[] = []
      for (let cursor = 0n, more = true; more;) {
        const answer = decodeOpenIdsAnswer(each.query(encodeOpenIdsQuery(cursor, 2)).bytes)
        ids.push(...answer.items.map(({ tradeNumber }) => tradeNumber))
        ;({ cursor, more } = answer)
      }
      expect(ids.sort((a, b) => Number(a - b))).toEqual([2n, 3n, 4n, 6n, 7n, 8n, 10n])
    }
  })

  test('keeps as many tier tables as it has room for, and refuses one more until a trade gives one up', () => {
    const machine = started(create(100, 200))
    const table = (n: number): Uint8Array =>
      encodeSpec({ ...spec, tiers: [{ floor: 0n, rate: BigInt(100_000 + n), maxLeverage: 100 }] })
    const codes = Array.from({ length: TIER_TABLES_MAX + 1 }, (_, i) => {
      machine.apply([open({ id: `${i}`, margin: '10', leverage: 1, price: '50000' })], START, machine.behaviourVersion)
      return codeOf(machine.apply([table(i)], START, machine.behaviourVersion).outcomes[0]!)
    })
    expect(codes.filter((code) => code === 'OK')).toHaveLength(TIER_TABLES_MAX - 1)
    expect(codes.at(-1)).toBe('CAPACITY_EXCEEDED')
    machine.apply([close(1n, '50000')], START, machine.behaviourVersion)
    expect(codeOf(machine.apply([table(99)], START, machine.behaviourVersion).outcomes[0]!)).toBe('OK')
  })

  test('restores only what is a snapshot of its own kind and size', () => {
    const bytes = started(create()).snapshot()
    expect(() => create(17).restore(bytes)).toThrow('capacity 0')
    expect(() => create().restore(bytes.subarray(0, bytes.length - 8))).toThrow('cut')
    expect(() => create().restore(new Uint8Array(64))).toThrow('magic')
  })
})
