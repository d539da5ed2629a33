import { createSeededIds, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { AnyAnswer, Request } from '../../history/history.ts'
import type { SimulatedPlatform } from '../../platform/exchange-platform.ts'
import type { Clients } from '../clients.ts'
import { takesKey } from '../identity.ts'
import { sentOf, type Knowledge } from '../knowledge.ts'
import type { PriceMaker } from '../prices.ts'
import type { Style } from '../style.ts'

/** What all steps of a run share. */
export interface Stage {
  readonly platform: Pick<
    SimulatedPlatform,
    'lastQuote' | 'pairs' | 'banks' | 'changePair' | 'changeBank' | 'exchangePrice' | 'setExchangePrice'
  >
  readonly clients: Clients
  readonly knowledge: Knowledge
  readonly prices: PriceMaker
  readonly style: Style
}

/** One step at work: its number and its own chance. */
export interface StepRun extends Stage {
  readonly step: number
  readonly random: SeededRandom
}

/** A kind of step: resolves when its clients have ended. */
export type Step = (run: StepRun) => Promise<void>

/** How long the second of two equal requests comes after the first, ms: at once, while it waits, after its answer. */
const SECOND_AFTER_MS = [0, 0, 1, 8, 60, 700] as const

/** A new key. */
export const newKey = ({ random }: StepRun): string => createSeededIds(random).uuid()

/** Sends a request under this key (null: none) until its answer is clear or the client gives up; some twice at once. */
export const sendAs = async (run: StepRun, request: Request, key: string | null): Promise<AnyAnswer | null> => {
  const { step, random, clients, knowledge, style } = run
  const sent = sentOf(step, key, request)
  if (sent !== null) knowledge.noteSent(sent)
  const asking = { step, random, key, request }
  const attempts = random.chance(12) ? 1 : style.patience.attempts
  if (sent === null || !random.chance(style.twicePercent)) return clients.insist(asking, attempts)
  const afterMs = random.pick(SECOND_AFTER_MS)
  const second = async (): Promise<void> => {
    await clients.pause(afterMs, `step ${step}: the same once more`)
    await clients.insist(asking, attempts)
  }
  const [answer] = await Promise.all([clients.insist(asking, attempts), second()])
  return answer
}

/** Requests that may have a key or none. */
const tradersKinds: ReadonlySet<Request['kind']> = new Set([
  'open-account',
  'open-trade',
  'update-trade',
  'close-trade',
])

/** Sends a new request: with a key where one is needed, mostly with one where it may have one. */
export const send = (run: StepRun, request: Request): Promise<AnyAnswer | null> => {
  const { random, style } = run
  const isKeyed = takesKey(request) && (!tradersKinds.has(request.kind) || random.chance(style.keyedPercent))
  return sendAs(run, request, isKeyed ? newKey(run) : null)
}

/** Sends all at the same moment, or within a few ms of one another. */
export const race = async (run: StepRun, requests: readonly Request[]): Promise<void> => {
  await Promise.all(
    requests.map(async (request) => {
      await run.clients.pause(run.random.pick([0, 0, 1, 3]), `step ${run.step}: one of several`)
      await send(run, request)
    }),
  )
}

/** One of a list, or null when it is empty. */
export const pickOrNull = <Item>(random: SeededRandom, items: readonly Item[]): Item | null =>
  items.length === 0 ? null : random.pick(items)

/** One of a list, mostly of its last ones; null when it is empty. */
export const pickRecent = <Item>(random: SeededRandom, items: readonly Item[], recentPercent: number): Item | null =>
  pickOrNull(random, random.chance(recentPercent) ? items.slice(-4) : items)

/** Sees to it that most requests find a fresh price, and that it has had time to travel. */
export const readyPrice = async (run: StepRun, pair: TradingPairSpec): Promise<void> => {
  if (run.random.chance(10)) return
  run.prices.refresh(pair, run.random)
  await run.clients.pause(run.random.between(2, 30), `step ${run.step}: the price travels`)
}
