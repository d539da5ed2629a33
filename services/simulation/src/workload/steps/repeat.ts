import { UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import type { KeyedRequest } from '../identity.ts'
import type { SentRequest } from '../knowledge.ts'
import { pickOrNull, pickRecent, sendAs, type Step, type StepRun } from './run.ts'

/** A request sent before; a market's state is not repeated late, for nothing but the audit remembers it for ever. */
const sentBefore = ({ random, knowledge }: StepRun): SentRequest | null =>
  pickRecent(
    random,
    knowledge.sent().filter(({ request }) => request.kind !== 'market-state'),
    45,
  )

/** The same request with the same key, some time later: its first answer again. */
const again: Step = async (run) => {
  const sent = sentBefore(run)
  if (sent === null) return
  const { random, clients } = run
  const asking = { ...sent, random }
  await clients.insist(asking, random.pick([1, 3, 8]))
}

/** Another request in the same scope. */
const altered = ({ random }: StepRun, request: KeyedRequest): KeyedRequest | null => {
  switch (request.kind) {
    case 'open-trade':
      return random.chance(50)
        ? { ...request, margin: request.margin + UNITS_PER_WHOLE }
        : { ...request, direction: request.direction === 'LONG' ? 'SHORT' : 'LONG' }
    case 'update-trade':
      return random.chance(50)
        ? { ...request, stopLossPrice: null, takeProfitPrice: request.takeProfitPrice === null ? undefined : null }
        : { ...request, tradeId: request.tradeId === 'trade_1' ? 'trade_2' : 'trade_1' }
    case 'close-trade':
      return { ...request, tradeId: request.tradeId === 'trade_1' ? 'trade_2' : 'trade_1' }
    case 'open-account':
      return { kind: 'close-trade', trader: request.trader, tradeId: 'trade_1', worstPrice: null }
    case 'adjust':
      return { ...request, amount: random.chance(50) ? request.amount - 1n : -request.amount }
    case 'fund':
      return { ...request, amount: request.amount + 1n }
    case 'bank-trade':
      return random.chance(50)
        ? { ...request, amount: request.amount + UNITS_PER_WHOLE }
        : { ...request, customer: `${request.customer}x` }
    case 'bank-move':
      return { ...request, amount: request.amount + UNITS_PER_WHOLE }
    case 'correct':
    case 'market-state':
      return null
  }
}

/** A request sent before, every kind as likely as each other one: most come far less often than trades. */
const sentOfAnyKind = ({ random, knowledge }: StepRun): SentRequest | null => {
  const sent = knowledge.sent()
  const kind = pickOrNull(random, [...new Set(sent.map(({ request }) => request.kind))])
  return pickOrNull(
    random,
    sent.filter(({ request }) => request.kind === kind),
  )
}

/** A key that was used before, with another request. */
const misuse: Step = async (run) => {
  const sent = run.random.chance(60) ? sentOfAnyKind(run) : sentBefore(run)
  const request = sent === null ? null : altered(run, sent.request)
  if (sent === null || request === null) return
  await sendAs(run, request, sent.key)
}

/** The same key of another client: no conflict, for a key counts in its scope only. */
const sameKeyElsewhere: Step = async (run) => {
  const sent = sentBefore(run)
  if (sent === null) return
  const { request, key } = sent
  const { random, style, platform } = run
  if (request.kind === 'open-trade') await sendAs(run, { ...request, trader: random.below(style.traders) }, key)
  if (request.kind === 'bank-trade' || request.kind === 'bank-move') {
    await sendAs(run, { ...request, bank: random.pick(platform.banks()).name }, key)
  }
}

/** What clients do with keys they have used, with how often each comes. */
export const repeatSteps: readonly (readonly [Step, number])[] = [
  [again, 8],
  [misuse, 4],
  [sameKeyElsewhere, 1],
]
