import { describe, expect, test } from '@jest/globals'
import { ok, refuse, type Result } from '@bourse/common/errors/codes.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { createHistory, type AnyAnswer, type Request } from '../../src/history/history.ts'
import { createClients } from '../../src/workload/clients.ts'
import { createWorld } from '../../src/world/world.ts'
import { fakePlatform, type FakeCall } from './support/fake-platform.ts'

const MINUTES = { durationMsMax: 600_000, eventsMax: 10_000 }
const KEY = '5b0a3a7e-9f61-4c55-8a4b-1d2c3e4f5a6b'
const never = new Promise<never>(() => undefined)
const fund: Request = { kind: 'fund', target: 'house', asset: 'BTC_USDC', amount: 5n }
const close: Request = { kind: 'close-trade', trader: 1, tradeId: 'trade_1', worstPrice: null }
const deposit: Request = {
  kind: 'bank-move',
  bank: 'north',
  customer: 'customer-1',
  type: 'DEPOSIT',
  amount: 5n,
  currency: 'AZN',
  reference: 'salary',
}

const identityOf = ({ given }: FakeCall): CommandIdentity => {
  const first = given[0] as CommandIdentity | { readonly identity: CommandIdentity }
  return 'identity' in first ? first.identity : first
}

/** Lets one client insist on a request; answers are given in turn, the last one again and again. */
const insisting = async (request: Request, key: string | null, answers: readonly unknown[], attempts = 5) => {
  const world = createWorld(7)
  const history = createHistory(() => world.nowMs())
  let turn = 0
  const { platform, calls } = fakePlatform(world, () => answers[Math.min(turn++, answers.length - 1)])
  const heard: AnyAnswer[] = []
  const patience = { answerMs: 2_000, attempts }
  const onAnswer = (_: Request, answer: AnyAnswer): void => void heard.push(answer)
  const clients = createClients({ world, platform, history, patience, onAnswer })
  let last: AnyAnswer | null | undefined
  void clients.insist({ step: 3, random: world.chance('step/3'), key, request }).then((answer) => {
    last = answer
  })
  await world.run(() => false, MINUTES)
  return { last, heard, calls, history, clients }
}

const unavailable = refuse('UNAVAILABLE', 'not now')
const pending: Result<unknown> = ok({ kind: 'pending', transactionId: 'tx_1' })

describe('a simulated client', () => {
  test('repeats an unclear answer with its key until it is clear', async () => {
    const final = ok({ kind: 'final', transaction: { status: 'COMPLETED', transactionId: 'tx_1' } })
    const { last, calls, history } = await insisting(deposit, KEY, [unavailable, pending, final])
    expect(last).toBe(final)
    expect(new Set(calls.map((call) => Buffer.from(identityOf(call).id).toString('hex'))).size).toBe(1)
    expect(history.calls().map(({ step, key, answer }) => [step, key, answer])).toEqual([
      [3, KEY, unavailable],
      [3, KEY, pending],
      [3, KEY, final],
    ])
  })

  test('gives up after its attempts', async () => {
    const { last, calls } = await insisting(fund, KEY, [unavailable], 4)
    expect(last).toBe(unavailable)
    expect(calls).toHaveLength(4)
  })

  test('asks again when it hears nothing', async () => {
    const { last, calls, history } = await insisting(fund, KEY, [never, ok({ transactionIds: ['1:1'] })])
    expect(last?.ok).toBe(true)
    expect(calls).toHaveLength(2)
    expect(history.calls().map(({ answer }) => answer?.ok ?? null)).toEqual([null, true])
  })

  test('is told an answer that comes after it gave up waiting', async () => {
    const late = new Promise((resolve) => void resolvers.push(() => resolve(unavailable)))
    const world = createWorld(7)
    world.schedule(9_000, 'the late answer', () => resolvers.forEach((resolve) => resolve()))
    const history = createHistory(() => world.nowMs())
    const { platform } = fakePlatform(world, () => late)
    const patience = { answerMs: 2_000, attempts: 1 }
    const clients = createClients({ world, platform, history, patience, onAnswer: () => undefined })
    let last: AnyAnswer | null | undefined
    const asking = { step: 3, random: world.chance('step/3'), key: KEY, request: fund }
    void clients.insist(asking).then((answer) => void (last = answer))
    await world.run(() => false, MINUTES)
    expect(last).toBeNull()
    expect(history.calls()[0]).toMatchObject({ answer: unavailable, answeredAtMs: 9_000 })
  })

  test('never repeats a command without a key, for that would be another command, but reads again', async () => {
    const command = await insisting(close, null, [unavailable, ok({})])
    expect(command.calls).toHaveLength(1)
    expect(identityOf(command.calls[0]!).keyed).toBe(false)
    const read = await insisting({ kind: 'open-trades', trader: 1 }, null, [unavailable, ok([])])
    expect(read.calls).toHaveLength(2)
  })

  test('tells what was thrown at it, which must have been a refusal', async () => {
    const { last, clients, history } = await insisting(fund, KEY, [Promise.reject(new Error('no such table'))], 1)
    expect(last).toBeNull()
    expect(clients.thrown).toEqual(['step 3: fund threw no such table'])
    expect(history.calls()[0]?.answer).toBeNull()
  })

  test('reads balances as the gateway does: trades first, so that what they have moved is in them', async () => {
    const { calls, last } = await insisting({ kind: 'balances', trader: 1 }, null, [ok([]), ok(['a balance'])])
    expect(calls.map(({ method }) => method)).toEqual(['trading.openTrades', 'ledger.balances'])
    expect(last).toEqual(ok(['a balance']))
    const refused = await insisting({ kind: 'balances', trader: 1 }, null, [unavailable, ok(['too early'])], 1)
    expect(refused.last).toBe(unavailable)
  })
})

const resolvers: (() => void)[] = []
