import type { BankEventPage, BankPage, BankTransaction } from '@bourse/bridge/client/types.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { AnyAnswer, Request } from '../history/history.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import type { Clients } from './clients.ts'
import type { Knowledge } from './knowledge.ts'
import type { Style } from './style.ts'

/** What closing needs. Its calls have this step's number, but for repeats, which have that of the first call. */
export interface ClosingDeps {
  readonly step: number
  readonly random: SeededRandom
  readonly platform: Pick<SimulatedPlatform, 'banks' | 'isQuiet'>
  readonly clients: Clients
  readonly knowledge: Knowledge
  readonly style: Style
}

const ATTEMPTS = 8
const ANSWER_MS = 60_000
const QUIET_ASKED_MS = 250
/** More pages than any run fills: a cursor that never ends is the auditor's to judge, not to wait for. */
const PAGES_MAX = 100

const asker =
  ({ step, random, clients }: ClosingDeps) =>
  (request: Request): Promise<AnyAnswer | null> =>
    // Reads have no key: what was unclear is simply read again.
    clients.insist({ step, random, key: null, request, answerMs: ANSWER_MS }, ATTEMPTS)

/** Every keyed request once more: whatever it was told, it must be told again. */
const repeatAll = async ({ random, clients, knowledge }: ClosingDeps): Promise<void> => {
  const repeated = knowledge.sent().filter(({ request }) => request.kind !== 'market-state')
  await Promise.all(
    repeated.map(async (sent, index) => {
      await clients.pause(index, `step ${sent.step}: at the end once more`)
      await clients.insist({ ...sent, random, answerMs: ANSWER_MS }, ATTEMPTS)
    }),
  )
}

/**
 * Repeats may have begun what no try had begun before: what that moves has to come to rest too. How long that may take is
 * the run's to say, which sees whether anything moves.
 */
const settled = async ({ platform, clients }: ClosingDeps): Promise<void> => {
  while (!platform.isQuiet()) await clients.pause(QUIET_ASKED_MS, 'closing: is it quiet?')
}

const readTraders = async (deps: ClosingDeps): Promise<void> => {
  const read = asker(deps)
  for (let trader = 0; trader < deps.style.traders; trader++) {
    await read({ kind: 'open-trades', trader })
    await read({ kind: 'balances', trader })
  }
}

/** Whoever was ever named to a bank as its customer. */
const customersOf = ({ knowledge }: ClosingDeps, bank: string): ReadonlySet<string> =>
  new Set(
    knowledge
      .sent()
      .flatMap(({ request }) => ('customer' in request && request.bank === bank ? [request.customer] : [])),
  )

const readTransactions = async (deps: ClosingDeps, bank: string): Promise<void> => {
  const read = asker(deps)
  const ids = new Set(deps.knowledge.transactions(bank))
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer: AnyAnswer | null = await read({ kind: 'bank-transactions', bank, customer: null, cursor })
    if (answer === null || !answer.ok) break
    const { items, nextCursor } = answer.value as BankPage<BankTransaction>
    for (const { transactionId } of items) ids.add(transactionId)
    cursor = nextCursor
    if (cursor === null) break
  }
  for (const transactionId of ids) await read({ kind: 'bank-transaction', bank, transactionId })
}

const readEvents = async (deps: ClosingDeps, bank: string): Promise<void> => {
  const read = asker(deps)
  for (let page = 0, after = 0; page < PAGES_MAX; page++) {
    const answer = await read({ kind: 'bank-events', bank, after })
    const last = answer?.ok === true ? (answer.value as BankEventPage).events.at(-1) : undefined
    if (last === undefined) return
    after = last.sequence
  }
}

const readBank = async (deps: ClosingDeps, bank: string): Promise<void> => {
  const read = asker(deps)
  for (const customer of customersOf(deps, bank)) await read({ kind: 'bank-accounts', bank, customer })
  await readTransactions(deps, bank)
  await readEvents(deps, bank)
}

/**
 * The questions at the end of a run: every keyed request once more, and when that has come to rest all balances, open trades,
 * transactions and events.
 */
export const closingQuestions = async (deps: ClosingDeps): Promise<void> => {
  await repeatAll(deps)
  await settled(deps)
  await Promise.all([readTraders(deps), ...deps.platform.banks().map(({ name }) => readBank(deps, name))])
}
