import type { BankClient, TraderClient, TransactionBody } from '../../../../services/all-in-one/test/support/clients.ts'
import { tradesOf } from '../../../../services/all-in-one/test/support/audit.ts'
import { insist, lasting } from '../../../../services/all-in-one/test/support/load.ts'
import type { Acknowledged } from './load.ts'
import { until } from './wait.ts'

/** What a load at rest has lost or doubled, a line each. */
export interface Losses {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
}

/** How long lists, which are views, may take to show what was answered, ms. */
const VIEW_MS_MAX = 10 * 60_000
const AT_ONCE = 8

const isBanks = ({ kind }: Acknowledged): boolean => kind !== 'open' && kind !== 'close'

/** Does the work for each, some of them side by side. */
export const forEach = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> => {
  const left = [...items]
  const go = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, go))
}

/** Every key once more: what was acknowledged must be answered alike. */
export const repeatAll = async (done: readonly Acknowledged[]): Promise<readonly string[]> => {
  const differing: string[] = []
  await forEach(done, async ({ kind, key, answer, again }) => {
    const repeated = lasting(await insist(again))
    if (repeated !== lasting(answer)) differing.push(`${kind} ${key}: ${lasting(answer)} then ${repeated}`)
  })
  return differing
}

const missing = (wanted: readonly string[], found: readonly string[]): readonly string[] => {
  const there = new Set(found)
  return wanted.filter((one) => !there.has(one))
}

/** What is there twice, or that nobody was told of. */
const surplus = (wanted: readonly string[], found: readonly string[]): readonly string[] => {
  const expected = new Set(wanted)
  const seen = new Set<string>()
  return found.filter((one) => {
    const isSurplus = !expected.has(one) || seen.has(one)
    seen.add(one)
    return isSurplus
  })
}

const judgeList = async (
  what: string,
  wanted: readonly string[],
  ask: () => Promise<readonly string[]>,
): Promise<Losses> => {
  let found: readonly string[] = []
  await until(
    async () => (found = await ask().catch(() => [])),
    (now) => missing(wanted, now).length === 0,
    VIEW_MS_MAX,
  ).catch(() => undefined)
  return {
    lost: missing(wanted, found).map((one) => `${what} ${one} is not listed`),
    doubled: surplus(wanted, found).map((one) => `${what} ${one} is one too many`),
  }
}

/** Compares the platform's lists with all that was ever answered, and repeats the keys of `recent`; nothing may be in flight. */
export const judge = async (deps: {
  readonly bank: BankClient
  readonly traders: readonly TraderClient[]
  readonly done: readonly Acknowledged[]
  readonly recent: readonly Acknowledged[]
}): Promise<Losses> => {
  const { bank, traders, done } = deps
  const keys = done.filter(isBanks).map(({ key }) => key)
  const keyOf = ({ idempotencyKey }: TransactionBody): string => idempotencyKey
  const lists = await Promise.all([
    judgeList('transaction', keys, async () => (await bank.transactions()).map(keyOf)),
    ...traders.map((trader, who) =>
      judgeList(
        `trader ${who}'s trade`,
        tradesOf(done, who).map(({ tradeId }) => tradeId),
        async () => (await trader.trades()).map(({ tradeId }) => tradeId),
      ),
    ),
  ])
  const differing = await repeatAll(deps.recent)
  return {
    lost: [...lists.flatMap(({ lost }) => lost), ...differing],
    doubled: lists.flatMap(({ doubled }) => doubled),
  }
}
