/** What trading promises, in trade words with numbers computed by hand, on both machines. */
import { describe, expect, test } from '@jest/globals'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import {
  decodeCloseOutcome,
  decodeFundingOutcome,
  decodeMarketAnswer,
  decodeOpenKept,
  decodeOpenOutcome,
  decodeTickOutcome,
  decodeTradeEvent,
  decodeTradesAnswer,
  encodeFunding,
  encodeMarketQuery,
  encodeOutcomeOf,
  encodeSpec,
  encodeState,
  encodeTradesQuery,
  marketStates,
} from '@bourse/risk-rules/trading/codec.ts'
import type { ClosedTrade, OpenTrade, SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { close, codeOf, idOf, INSURANCE, LEDGER, machines, open, spec, START, tick, units } from './trading-kit.ts'
import type { OpenWords } from './trading-kit.ts'

const one = (machine: TradingMachine, command: Uint8Array, now = START, behaviour = machine.behaviourVersion) => {
  const { outcomes, effects } = machine.apply([command], now, behaviour)
  const told = effects.map(({ to, bytes }) => ({ to, ...decodeInstruction(bytes) }))
  return { outcome: outcomes[0]!, code: codeOf(outcomes[0]!), effects: told }
}

const legsOf = (legs: ReturnType<typeof decodeInstruction>['legs']): string[] =>
  legs.map(({ kind, amount }) => `${kind} ${formatAmount(amount)}`)

const words = (trade: OpenTrade | ClosedTrade, ...names: string[]): string[] =>
  names.map((name) => `${name} ${formatAmount((trade as unknown as Record<string, bigint>)[name]!)}`)

/** q = 0.02 at 50000. */
const usual: OpenWords = { id: 'one', margin: '100', leverage: 10, price: '50000' }

describe.each(machines)('trading (%s)', (_name, create) => {
  const market = (changes: Partial<SpecCommand> = {}, first = '50000') => {
    const machine = create()
    machine.apply([encodeSpec({ ...spec, ...changes }), tick(first)], START, machine.behaviourVersion)
    const tell = (command: Uint8Array, now = START) => one(machine, command, now)
    return {
      machine,
      tell,
      opened: (more: Partial<OpenWords> = {}) => decodeOpenOutcome(tell(open({ ...usual, ...more })).outcome),
      closed: (number: bigint, price: string) => decodeCloseOutcome(tell(close(number, price)).outcome),
      ticked: (price: string, at = START) => decodeTickOutcome(tell(tick(price, at), at).outcome),
    }
  }

  describe('opens', () => {
    test('a long: quantity to the lot, fee up, liquidation price at the multiple of the tick nearest the entry', () => {
      const { tell } = market()
      const { outcome, effects } = tell(open(usual))
      expect(words(decodeOpenOutcome(outcome), 'quantity', 'entryPrice', 'liquidationPrice', 'openFee')).toEqual([
        'quantity 0.02',
        'entryPrice 50000',
        'liquidationPrice 45180.72',
        'openFee 0.5',
      ])
      expect(effects).toHaveLength(1)
      const holds = [{ id: idOf('one'), index: 1 }]
      expect(effects[0]).toMatchObject({ to: LEDGER, kind: 'SETTLE', transactionType: 2, holds, slip: null })
      expect(legsOf(effects[0]!.legs)).toEqual(['customer -0.5', 'fees 0.5'])
      expect(decodeTradeEvent(effects[0]!.memo)).toEqual({ type: 'opened', trade: decodeOpenOutcome(outcome) })
    })

    test('a short: its liquidation price is rounded up to the tick', () => {
      expect(words(market().opened({ direction: 'SHORT' }), 'liquidationPrice')).toEqual(['liquidationPrice 54780.88'])
    })

    test('with spread: a long buys at the ask rounded up, a short sells at the bid rounded down', () => {
      const { opened } = market({ spreadBps: units('2') })
      expect(words(opened({ price: '50000.01' }), 'entryPrice')).toEqual(['entryPrice 50005.02'])
      expect(words(opened({ id: 'two', price: '50000.01', direction: 'SHORT' }), 'entryPrice')).toEqual([
        'entryPrice 49995',
      ])
    })

    test('in the second tier: c = 250000 × (0.01 − 0.004) = 1500 moves the liquidation price', () => {
      // 10000 + 8X − 400000 ≤ 0.08X − 1500  →  X ≤ 388500 ÷ 7.92
      const trade = market().opened({ margin: '10000', leverage: 40 })
      expect(words(trade, 'quantity', 'liquidationPrice')).toEqual(['quantity 8', 'liquidationPrice 49053.03'])
    })

    test('with every fraction of a unit in favour of the house', () => {
      const { opened, closed, ticked } = market({ lotSize: 1n }, '30000.01')
      const fine: OpenWords = { id: 'fine', margin: '10', leverage: 1, price: '30000.01' }
      expect(words(opened(fine), 'quantity', 'openFee')).toEqual(['quantity 0.00033333', 'openFee 0.00499996'])
      expect(words(closed(1n, '30000.02'), 'pnl', 'closeFee')).toEqual(['pnl 0.00000333', 'closeFee 0.00499996'])
      opened({ ...fine, id: 'loses' })
      expect(words(closed(2n, '29999.99'), 'pnl')).toEqual(['pnl -0.00000667'])
      opened({ ...fine, id: 'pays' })
      opened({ ...fine, id: 'receives', direction: 'SHORT' })
      ticked('30000.01', START + 28_800_000n)
      expect(words(closed(3n, '30000.01'), 'funding')).toEqual(['funding 0.001'])
      expect(words(closed(4n, '30000.01'), 'funding')).toEqual(['funding -0.00099999'])
    })
  })

  test('a fee of any fraction of a unit, however small, is a unit', () => {
    const { opened } = market({ lotSize: 1n, minMargin: 0n, openBps: 1n }, '0.5')
    expect(words(opened({ margin: '0.00005', leverage: 1, price: '0.5' }), 'quantity', 'openFee')).toEqual([
      'quantity 0.0001',
      'openFee 0.00000001',
    ])
  })

  describe('refuses to open, and gives both holds back', () => {
    const refusals: readonly (readonly [string, Partial<OpenWords>, string])[] = [
      ['leverage above the pair’s', { leverage: 101 }, 'LEVERAGE_TOO_HIGH'],
      [
        'leverage above the tier’s, whose floor is the notional',
        { margin: '4901.96078432', leverage: 51 },
        'LEVERAGE_TOO_HIGH',
      ],
      ['a margin below the least', { margin: '0.99999999' }, 'MARGIN_TOO_SMALL'],
      ['leverage before margin', { margin: '0.5', leverage: 101 }, 'LEVERAGE_TOO_HIGH'],
      ['less than a lot', { margin: '1', leverage: 1, price: '100000.01' }, 'MARGIN_TOO_SMALL'],
      ['a notional above the most', { margin: '25000.1', leverage: 40 }, 'NOTIONAL_TOO_HIGH'],
      ['a stop at the closing price', { stopLoss: '50000' }, 'INVALID_STOP_LOSS'],
      ['a stop off the tick', { stopLoss: '49000.001' }, 'INVALID_STOP_LOSS'],
      ['a target at the closing price', { takeProfit: '50000' }, 'INVALID_TAKE_PROFIT'],
      ['a short’s target above it', { direction: 'SHORT', takeProfit: '50000.01' }, 'INVALID_TAKE_PROFIT'],
      ['a price beyond the worst', { worstPrice: '49999.99' }, 'PRICE_MOVED'],
      ['a short’s price beyond the worst', { direction: 'SHORT', worstPrice: '50000.01' }, 'PRICE_MOVED'],
      ['a quote older than the market takes', { at: START - 5_001n }, 'PRICE_STALE'],
      ['leverage 0', { leverage: 0 }, 'INVALID_COMMAND'],
    ]
    test.each(refusals)('%s', (_what, more, code) => {
      const { tell, machine } = market()
      const before = decodeMarketAnswer(machine.query(encodeMarketQuery()).bytes)
      const answer = tell(open({ ...usual, ...more }))
      expect(answer.code).toBe(code)
      expect(answer.effects).toMatchObject([
        {
          to: LEDGER,
          kind: 'RELEASE',
          holds: [
            { id: idOf('one'), index: 0 },
            { id: idOf('one'), index: 1 },
          ],
          legs: [],
        },
      ])
      expect(decodeMarketAnswer(machine.query(encodeMarketQuery()).bytes)).toEqual(before)
    })

    test('a fee that rose after its hold was made', () => {
      expect(market().tell(open({ ...usual, openBps: units('4.99999999') })).code).toBe('PRICE_MOVED')
    })

    test('a trade more than the pair’s capacity', () => {
      const { tell } = market({ capacity: 1 })
      expect(tell(open(usual)).code).toBe('OK')
      expect(tell(open({ ...usual, id: 'two', account: 'bob' })).code).toBe('CAPACITY_EXCEEDED')
    })

    test('while an administrator has halted the market, also after the same spec came again', () => {
      const { tell } = market()
      expect(tell(encodeState(marketStates.Halted)).code).toBe('OK')
      expect(tell(encodeSpec(spec)).code).toBe('OK')
      expect(tell(open(usual)).code).toBe('MARKET_HALTED')
      expect(tell(encodeSpec({ ...spec, state: marketStates.ReduceOnly })).code).toBe('OK')
      expect(tell(open({ ...usual, id: 'two' })).code).toBe('MARKET_REDUCE_ONLY')
      expect(tell(encodeSpec(spec)).code).toBe('OK')
      expect(tell(open({ ...usual, id: 'three' })).code).toBe('OK')
    })

    test('a quote exactly as old as the market takes is taken', () => {
      expect(market().tell(open({ ...usual, at: START - 5_000n })).code).toBe('OK')
    })

    test('one trade more than an account may have, and a net quantity above the most that is larger than before', () => {
      const { tell } = market({ maxOpenTrades: 2, maxNetNotional: units('1500') })
      expect(tell(open(usual)).code).toBe('OK')
      expect(tell(open({ ...usual, id: 'two' })).code).toBe('EXPOSURE_LIMIT')
      expect(tell(open({ ...usual, id: 'three', direction: 'SHORT' })).code).toBe('OK')
      expect(tell(open({ ...usual, id: 'four' })).code).toBe('TOO_MANY_TRADES')
      expect(tell(open({ ...usual, id: 'five', account: 'bob' })).code).toBe('OK')
    })

    test('a trade that the spread alone would liquidate', () => {
      expect(market({ spreadBps: units('200') }).tell(open({ ...usual, leverage: 100 })).code).toBe('WOULD_LIQUIDATE')
    })

    test('when the partition is full, before anything has changed', () => {
      const machine = create({ tradesMax: 1, idsMax: 8 })
      machine.apply([encodeSpec(spec), tick('50000'), open(usual)], START, machine.behaviourVersion)
      const answer = one(machine, open({ ...usual, id: 'two' }))
      expect(answer.code).toBe('CAPACITY_EXCEEDED')
      expect(answer.effects).toMatchObject([{ kind: 'RELEASE' }])
      expect(decodeMarketAnswer(machine.query(encodeMarketQuery()).bytes)).toMatchObject({
        openCount: 1,
        lastTradeNumber: 1n,
      })
    })
  })

  describe('closes', () => {
    test('for the user: pnl with the house, fee to fees, the rest to the customer', () => {
      const { tell, opened } = market()
      opened()
      const { outcome, effects } = tell(close(1n, '51000'))
      expect(words(decodeCloseOutcome(outcome), 'pnl', 'fees', 'returned', 'deficit')).toEqual([
        'pnl 20',
        'fees 1.01',
        'returned 119.49',
        'deficit 0',
      ])
      const holds = [{ id: idOf('one'), index: 0 }]
      expect(effects).toMatchObject([{ to: LEDGER, kind: 'SETTLE', transactionType: 3, holds, slip: null }])
      expect(legsOf(effects[0]!.legs)).toEqual(['customer 19.49', 'house -20', 'fees 0.51'])
      expect(decodeTradeEvent(effects[0]!.memo)).toEqual({ type: 'closed', trade: decodeCloseOutcome(outcome) })
    })

    test('at the stop: at the price of the tick, not of the stop', () => {
      const { opened, ticked } = market()
      opened({ stopLoss: '49000' })
      expect(ticked('49000.01').closed).toEqual([])
      const [trade] = ticked('48999.99').closed
      expect(words(trade!, 'exitPrice', 'pnl', 'closeFee', 'returned')).toEqual([
        'exitPrice 48999.99',
        'pnl -20.0002',
        'closeFee 0.4899999',
        'returned 79.5098001',
      ])
      expect(trade!.reason).toBe(1)
    })

    test('by liquidation at exactly its price: the fee takes what is left and goes on to the insurance', () => {
      const { machine, opened, tell } = market()
      opened()
      expect(machine.wouldTrigger(units('45180.73'), units('45180.73'), START)).toBe(false)
      expect(machine.wouldTrigger(units('45180.72'), units('45180.72'), START)).toBe(true)
      const { outcome, effects } = tell(tick('45180.72'))
      const [trade] = decodeTickOutcome(outcome).closed
      expect(words(trade!, 'pnl', 'closeFee', 'returned', 'deficit')).toEqual([
        'pnl -96.3856',
        'closeFee 3.6144',
        'returned 0',
        'deficit 0',
      ])
      expect(legsOf(effects[0]!.legs)).toEqual(['customer -100', 'house 96.3856', 'clearing 3.6144'])
      const slip = decodeInstruction(effects[0]!.slip!.command)
      expect(effects[0]!.slip!.target).toBe(INSURANCE)
      expect(slip).toMatchObject({ kind: 'POST', transactionType: 4, reference: effects[0]!.reference })
      expect(legsOf(slip.legs)).toEqual(['clearing -3.6144', 'insurance 3.6144'])
    })

    test('by liquidation beyond the margin: the house bears the deficit and asks the insurance for it', () => {
      const { opened, tell } = market()
      opened()
      const { outcome, effects } = tell(tick('44000'))
      const [trade] = decodeTickOutcome(outcome).closed
      expect(words(trade!, 'pnl', 'closeFee', 'returned', 'deficit')).toEqual([
        'pnl -120',
        'closeFee 0',
        'returned 0',
        'deficit 20',
      ])
      expect(legsOf(effects[0]!.legs)).toEqual(['customer -100', 'house 100'])
      const slip = decodeInstruction(effects[0]!.slip!.command)
      expect(slip).toMatchObject({ kind: 'INSURANCE_REFUND', transactionType: 5, slip: { target: LEDGER } })
      expect(legsOf(slip.legs)).toEqual(['insurance 20', 'clearing 0', 'house 0'])
    })

    test('first liquidations, then stops, then targets, each in opening order', () => {
      const { opened, ticked } = market()
      opened({ id: 'target', direction: 'SHORT', takeProfit: '49000' })
      opened({ id: 'stop', stopLoss: '49000' })
      opened({ id: 'liquidated', margin: '10', leverage: 100 })
      opened({ id: 'stop after', stopLoss: '49500' })
      opened({ id: 'liquidated before its stop', margin: '10', leverage: 100, stopLoss: '48500' })
      opened({ id: 'stays' })
      expect(ticked('48000').closed.map(({ tradeNumber, reason }) => [tradeNumber, reason])).toEqual([
        [3n, 3],
        [5n, 3],
        [2n, 1],
        [4n, 1],
        [1n, 2],
      ])
    })

    test('only what there is, of its owner, at a price not worse than the worst, while the market is not halted', () => {
      const { tell, opened } = market()
      opened()
      expect(tell(close(2n, '50000')).code).toBe('TRADE_NOT_FOUND')
      expect(tell(close(0n, '50000')).code).toBe('TRADE_NOT_FOUND')
      expect(tell(close(1n, '50000', { account: 'bob' })).code).toBe('TRADE_NOT_FOUND')
      expect(tell(close(1n, '50000', { worstPrice: '50000.01' })).code).toBe('PRICE_MOVED')
      expect(tell(close(1n, '50000', { at: START - 5_001n })).code).toBe('PRICE_STALE')
      tell(encodeState(marketStates.Halted))
      expect(tell(close(1n, '50000', { worstPrice: '50000.01' })).code).toBe('MARKET_HALTED')
      tell(encodeState(marketStates.ReduceOnly))
      expect(tell(open({ ...usual, id: 'two' })).code).toBe('MARKET_REDUCE_ONLY')
      expect(tell(close(1n, '50000', { worstPrice: '50000' })).code).toBe('OK')
      expect(tell(close(1n, '50000')).code).toBe('TRADE_CLOSED')
    })
  })

  describe('funds', () => {
    const due = START + 28_800_000n
    const fundingOf = (machine: TradingMachine) => decodeMarketAnswer(machine.query(encodeMarketQuery()).bytes).funding

    test('first at the first multiple after the first tick, on the last feed before it, and moves the liquidation price', () => {
      const { machine, opened, tell } = market()
      expect(machine.nextDeadline()).toBe(due)
      opened()
      tell(encodeFunding({ dueTime: due - 1n, feedBid: units('50000'), feedAsk: units('50000') }))
      expect(fundingOf(machine)).toBe(0n)
      const { outcome } = tell(encodeFunding({ dueTime: due, feedBid: units('50000'), feedAsk: units('50000') }))
      // (50000 + 50000) × 1 ÷ 20000 = 5; 0.01992 X ≤ 900 + 0.02 × 5
      expect(decodeFundingOutcome(outcome)).toEqual({
        funding: units('5'),
        nextFunding: due + 28_800_000n,
        instants: 1n,
      })
      const { trades } = decodeTradesAnswer(machine.query(encodeTradesQuery(idOf('ann'))).bytes)
      expect(words(trades[0]!, 'liquidationPrice')).toEqual(['liquidationPrice 45185.74'])
    })

    test('before the triggers of a tick that passes the instant, on the feed before that tick', () => {
      const { opened, tell } = market()
      opened()
      const beside = tell(tick('45185.75', due, '50000'), due)
      expect(decodeTickOutcome(beside.outcome)).toMatchObject({ closed: [], funding: units('5') })
      const [trade] = decodeTickOutcome(tell(tick('45185.74', due + 1n), due + 1n).outcome).closed
      expect(words(trade!, 'funding')).toEqual(['funding 0.1'])
    })

    test('with the rate clamped, rounded towards zero, and all the instants that were missed', () => {
      const clamped = market({ fundingRateBps: units('100') })
      clamped.ticked('50000', due)
      expect(fundingOf(clamped.machine)).toBe(units('375'))
      const negative = market({ fundingRateBps: units('-0.3333') }, '30000.01')
      negative.ticked('30000.01', due)
      expect(fundingOf(negative.machine)).toBe(units('-0.99990033'))
      negative.ticked('30000.01', due + 2n * 28_800_000n)
      expect(fundingOf(negative.machine)).toBe(3n * units('-0.99990033'))
    })

    test('while halted, when no tick is applied; the first tick after reopening triggers', () => {
      const { machine, opened, tell } = market()
      opened()
      tell(encodeState(marketStates.Halted))
      expect(tell(tick('44000')).code).toBe('MARKET_HALTED')
      expect(machine.wouldTrigger(units('44000'), units('44000'), due)).toBe(false)
      tell(encodeFunding({ dueTime: due, feedBid: units('50000'), feedAsk: units('50000') }))
      expect(fundingOf(machine)).toBe(units('5'))
      tell(encodeState(marketStates.Open))
      expect(decodeTickOutcome(tell(tick('44000', due), due).outcome).closed).toHaveLength(1)
    })
  })

  describe('remembers ids', () => {
    test('the same request gets the first outcome, another under the same id a conflict, neither does anything', () => {
      const { machine, tell } = market()
      const first = tell(open(usual))
      const hash = machine.stateHash()
      const again = tell(open(usual))
      expect(again.effects).toEqual([])
      expect(decodeOpenOutcome(first.outcome)).toMatchObject(decodeOpenKept(again.outcome))
      expect(tell(open({ ...usual, margin: '7', hash: 'other' }))).toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
        effects: [],
      })
      expect(machine.stateHash()).toBe(hash)
      const asked = machine.query(encodeOutcomeOf(idOf('one'), idOf('hash of one')))
      expect(decodeOpenKept(asked.bytes)).toEqual(decodeOpenKept(again.outcome))
      expect(machine.query(encodeOutcomeOf(idOf('nobody'), idOf('x')))).toMatchObject({
        pending: true,
        wakeId: idOf('nobody'),
      })
    })

    test('refusals too, for ten minutes', () => {
      const { tell } = market()
      expect(tell(open({ ...usual, leverage: 101 })).code).toBe('LEVERAGE_TOO_HIGH')
      expect(tell(open({ ...usual, leverage: 101 }), START + 600_000n).code).toBe('LEVERAGE_TOO_HIGH')
      expect(tell(open({ ...usual, at: START + 600_001n }), START + 600_001n).code).toBe('OK')
    })

    test('a command that trapped twice is an ENGINE_FAULT, remembered, and gives an OPEN’s holds back', () => {
      const { machine, tell } = market()
      const { outcomes, effects } = machine.apply(
        [tick('50000'), open(usual)],
        START,
        machine.behaviourVersion,
        new Set([1]),
      )
      expect(outcomes.map(codeOf)).toEqual(['OK', 'ENGINE_FAULT'])
      expect(effects.map(({ commandIndex, bytes }) => [commandIndex, decodeInstruction(bytes).kind])).toEqual([
        [1, 'RELEASE'],
      ])
      expect(tell(open(usual)).code).toBe('ENGINE_FAULT')
    })

    test('an OPEN that comes again gives the holds back that brought it, unless the trade is open', () => {
      const { machine, tell, opened, closed } = market()
      const release = [
        {
          to: LEDGER,
          kind: 'RELEASE',
          holds: [
            { id: idOf('one'), index: 0 },
            { id: idOf('one'), index: 1 },
          ],
        },
      ]
      const other = { ...usual, hash: 'other' }
      const { tradeNumber } = opened()
      expect(tell(open(usual))).toMatchObject({ code: 'OK', effects: [] })
      expect(tell(open(other))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', effects: [] })
      expect(machine.apply([open(usual)], START, machine.behaviourVersion, new Set([0])).effects).toEqual([])
      closed(tradeNumber, '50000')
      expect(tell(open(usual))).toMatchObject({ code: 'OK', effects: release })
      expect(tell(open(other))).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', effects: release })
      expect(machine.apply([open(usual)], START, machine.behaviourVersion, new Set([0])).effects).toHaveLength(1)
      tell(open({ ...usual, id: 'two', leverage: 101 }))
      expect(tell(open({ ...usual, id: 'two', leverage: 101 }))).toMatchObject({
        code: 'LEVERAGE_TOO_HIGH',
        effects: [{ kind: 'RELEASE' }],
      })
      expect(tell(close(2n, '50000', { id: 'three' })).code).toBe('TRADE_NOT_FOUND')
      expect(tell(open({ ...usual, id: 'three', hash: 'other' }))).toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
        effects: [{ kind: 'RELEASE' }],
      })
      expect(tell(close(2n, '50000', { id: 'three' })).effects).toEqual([])
    })

    test('the first behaviour kept the holds of an OPEN that came again', () => {
      const { machine, tell } = market()
      tell(open({ ...usual, leverage: 101 }))
      expect(one(machine, open({ ...usual, leverage: 101 }), START, 1)).toMatchObject({
        code: 'LEVERAGE_TOO_HIGH',
        effects: [],
      })
    })
  })

  test('a trade keeps the tiers it opened with when the spec changes; what may not change is refused', () => {
    const { opened, tell, ticked } = market()
    opened()
    const stricter = [{ floor: 0n, rate: units('0.05'), maxLeverage: 10 }]
    expect(tell(encodeSpec({ ...spec, tiers: stricter })).code).toBe('OK')
    expect(words(opened({ id: 'two' }), 'liquidationPrice')).toEqual(['liquidationPrice 47368.42'])
    expect(ticked('47368.42').closed.map(({ tradeNumber }) => tradeNumber)).toEqual([2n])
    expect(tell(encodeSpec({ ...spec, tickSize: units('0.1') })).code).toBe('INVALID_COMMAND')
    const broken = [{ floor: 0n, rate: units('0.01'), maxLeverage: 100 }]
    expect(tell(encodeSpec({ ...spec, tiers: broken })).code).toBe('INVALID_COMMAND')
  })

  test('nothing but a spec is taken before there is a spec', () => {
    const machine = create()
    expect(one(machine, open(usual))).toMatchObject({ code: 'MARKET_NOT_FOUND', effects: [{ kind: 'RELEASE' }] })
    expect(one(machine, close(1n, '50000')).code).toBe('MARKET_NOT_FOUND')
    expect(one(machine, tick('50000')).code).toBe('MARKET_NOT_FOUND')
    expect(machine.wouldTrigger(units('50000'), units('50000'), START)).toBe(false)
  })
})
