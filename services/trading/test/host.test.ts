import { describe, expect, test } from '@jest/globals'
import { encodeCommand } from '@bourse/common/kernel/command.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import {
  decodeClose,
  decodeFunding,
  decodeOpen,
  decodeTick,
  decodeUpdate,
  encodeClose,
  encodeOpen,
  encodeState,
  encodeUpdate,
  tradingKinds,
} from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine, type TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createTradingHost, withQuote, type TradingQuote } from '../src/host/trading-host.ts'
import { specCommand } from '../src/host/spec.ts'
import { BTC, specOf, topology } from './support.ts'

const wasm = loadTradingModule()
const START = 1_767_081_600_001
const HOUR_MS = 3_600_000
const quoteAt = (price: string, timeMs = START): TradingQuote => ({
  feedBid: parseAmount(price),
  feedAsk: parseAmount(price) + 1_000_000n,
  timeMs,
})
const owner = new Uint8Array(16).fill(1)
const id = new Uint8Array(16).fill(2)
const noQuote = { feedBid: 0n, feedAsk: 0n, quoteTime: 0n }
const open = encodeOpen(
  {
    ...{ account: owner, ledgerPartition: 1 << 24, direction: 0, leverage: 10, margin: parseAmount('100') },
    ...{ stopLoss: parseAmount('95'), takeProfit: 0n, worstPrice: 0n, openBps: parseAmount('5'), ...noQuote },
  },
  { id },
)
const close = encodeClose({ account: owner, tradeNumber: 1n, worstPrice: 0n, ...noQuote }, { id })

const update = encodeUpdate({ account: owner, tradeNumber: 1n, stopLoss: -1n, takeProfit: 0n, ...noQuote }, { id })

describe('the quote in a command', () => {
  const quote = quoteAt('100')
  const fields = { feedBid: quote.feedBid, feedAsk: quote.feedAsk, quoteTime: BigInt(START) }

  test('an OPEN, a CLOSE and an UPDATE get the quote, and nothing else of them changes', () => {
    expect(decodeOpen(withQuote(open, quote))).toEqual({ ...decodeOpen(open), ...fields })
    expect(decodeClose(withQuote(close, quote))).toEqual({ ...decodeClose(close), ...fields })
    expect(decodeUpdate(withQuote(update, quote))).toEqual({ ...decodeUpdate(update), ...fields })
    expect(withQuote(open, quote).subarray(0, 56)).toEqual(open.subarray(0, 56))
  })

  test('the command that was given is left as it was: its sender may send it again', () => {
    const before = open.slice()
    withQuote(open, quote)
    expect(open).toEqual(before)
  })

  test('what a client wrote there is overwritten: nobody brings a quote along', () => {
    const forged = withQuote(open, quoteAt('1'))
    expect(decodeOpen(withQuote(forged, quote))).toMatchObject(fields)
  })

  test('other commands, and ones that are too short, stay as they are', () => {
    for (const other of [encodeState(2), encodeCommand({ kind: tradingKinds.open }, new Uint8Array(16))])
      expect(withQuote(other, quote)).toBe(other)
  })
})

describe('what surrounds a trading machine', () => {
  const make = (funding = { intervalSeconds: 3_600, rateBps: '1' }) => {
    const machine: TradingMachine = createTradingMachine({ wasm, tradesMax: 16, idsMax: 64 })
    const host = createTradingHost(() => machine)
    const spec = specCommand(specOf(BTC, { funding }), topology, topology.markets.get(BTC)!, 0)
    const apply = (command: Uint8Array, atMs = START): void => void machine.apply([command], BigInt(atMs), 1)
    apply(spec)
    return { machine, host, apply }
  }

  test('commands are judged on the quote that was there when their turn came', () => {
    const { machine, host } = make()
    host.observe!(quoteAt('100'), machine)
    const first = host.resolve!(open, machine) as Uint8Array
    host.observe!(quoteAt('101'), machine)
    const second = host.resolve!(open, machine) as Uint8Array
    expect([decodeOpen(first).feedBid, decodeOpen(second).feedBid]).toEqual([parseAmount('100'), parseAmount('101')])
  })

  test('before the first quote there is none, which the machine refuses', () => {
    const { machine, host } = make()
    expect(decodeOpen(host.resolve!(open, machine) as Uint8Array)).toMatchObject(noQuote)
    const { outcomes } = machine.apply([host.resolve!(open, machine) as Uint8Array], BigInt(START), 1)
    expect(outcomes[0]![4]).toBe(77)
  })

  test('a quote that triggers nothing leaves no trace; one that does becomes a TICK with the quote before it', () => {
    const { machine, host, apply } = make()
    const first = host.observe!(quoteAt('100'), machine)
    expect(decodeTick(first!)).toMatchObject({ feedBid: parseAmount('100'), previousBid: 0n, previousAsk: 0n })
    apply(first!)
    expect(host.observe!(quoteAt('101', START + 1), machine)).toBeNull()
    apply(host.resolve!(open, machine) as Uint8Array, START + 2)
    expect(host.observe!(quoteAt('95.01', START + 3), machine)).toBeNull()
    const stop = host.observe!(quoteAt('95', START + 4), machine)
    expect(decodeTick(stop!)).toEqual({
      feedBid: parseAmount('95'),
      feedAsk: parseAmount('95.01'),
      quoteTime: BigInt(START + 4),
      previousBid: parseAmount('95.01'),
      previousAsk: parseAmount('95.02'),
    })
  })

  test('funding that is due is judged on the latest quote, and waits for one after a start', () => {
    const { machine, host, apply } = make()
    expect(host.due!(machine)).toBeNull()
    apply(host.observe!(quoteAt('100'), machine)!)
    const due = BigInt(Math.ceil(START / HOUR_MS) * HOUR_MS)
    const latest = host.observe!(quoteAt('102', START + 5), machine)
    expect(latest).toBeNull()
    const expected = { dueTime: due, feedBid: parseAmount('102'), feedAsk: parseAmount('102.01') }
    expect(decodeFunding(host.due!(machine)!)).toEqual(expected)
    const restarted = createTradingHost(() => machine)
    expect(restarted.due!(machine)).toBeNull()
  })

  test('a partition that was just acquired judges by the latest quote, unless that triggers something first', () => {
    const { machine, host, apply } = make()
    apply(host.observe!(quoteAt('100'), machine)!)
    apply(host.resolve!(open, machine) as Uint8Array)
    let latest: TradingQuote | null = null
    const acquired = createTradingHost(
      () => machine,
      () => latest,
    )
    const judgedOn = (): bigint => decodeOpen(acquired.resolve!(open, machine) as Uint8Array).feedBid
    expect(judgedOn()).toBe(0n)
    latest = quoteAt('95', START + 1)
    expect(judgedOn()).toBe(0n)
    latest = quoteAt('99', START + 2)
    expect(judgedOn()).toBe(parseAmount('99'))
    acquired.observe!(quoteAt('98', START + 3), machine)
    latest = quoteAt('97', START + 4)
    expect(judgedOn()).toBe(parseAmount('98'))
  })
})
