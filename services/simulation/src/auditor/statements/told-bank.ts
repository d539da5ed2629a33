import type { BankTransaction } from '@bourse/bridge/client/types.ts'
import { shown, unitsOf } from '../arithmetic/rational.ts'
import type { BankLife } from '../model/bridge/book.ts'
import { differences } from '../model/differences.ts'

/** Entries in the contract's order: what the customer gives, what takes it; what gives, what the customer gets. */
const entriesOf = (life: BankLife): readonly (readonly [string, string, bigint])[] => {
  const customer = `customer:${life.bank}:${life.customer}`
  const { fiatCurrency, cryptoCurrency, fiat, crypto } = life
  switch (life.type) {
    case 'BUY':
    case 'SELL': {
      const [paidIn, paid] = life.type === 'BUY' ? ([fiatCurrency, fiat] as const) : ([cryptoCurrency, crypto] as const)
      const [gotIn, got] = life.type === 'BUY' ? ([cryptoCurrency, crypto] as const) : ([fiatCurrency, fiat] as const)
      const omnibus = `omnibus:${life.bank}`
      return [
        [customer, paidIn, -paid],
        [omnibus, paidIn, paid],
        [omnibus, gotIn, -got],
        [customer, gotIn, got],
      ]
    }
    case 'DEPOSIT':
      return [
        [`bank:${life.bank}`, fiatCurrency, -fiat],
        [customer, fiatCurrency, fiat],
      ]
    case 'WITHDRAWAL':
      return [
        [customer, fiatCurrency, -fiat],
        [`bank:${life.bank}`, fiatCurrency, fiat],
      ]
  }
}

const faultsOfEntries = (told: BankTransaction, life: BankLife): string => {
  const expected = life.stage === 'completed' ? entriesOf(life) : []
  const text = told.entries
    .map(
      ({ accountId, currency, amount, balanceAfter }) =>
        `${accountId} ${currency} ${unitsOf(amount)} ${unitsOf(balanceAfter)}`,
    )
    .join(', ')
  const due = expected
    .map(
      ([account, currency, amount], index) =>
        `${account}:${currency} ${currency} ${amount} ${life.balancesAfter[index]}`,
    )
    .join(', ')
  return text === due ? '' : `entries [${text}], not [${due}]`
}

const sides = ({ type, fiat, crypto, fiatCurrency, cryptoCurrency }: BankLife) => {
  const orNull = (amount: bigint): bigint | null => (amount === 0n ? null : amount)
  const [f, c] = [
    { amount: orNull(fiat), currency: fiatCurrency },
    { amount: orNull(crypto), currency: cryptoCurrency },
  ]
  const none = { amount: null, currency: null }
  const [paid, got] = { BUY: [f, c], SELL: [c, f], DEPOSIT: [f, none], WITHDRAWAL: [none, f] }[type] as [
    typeof f | typeof none,
    typeof f | typeof none,
  ]
  return { amountIn: paid.amount, currencyIn: paid.currency, amountOut: got.amount, currencyOut: got.currency }
}

/** What a bank is told of a transaction that has come to its end, against what became of it; empty when it is true. */
export const faultsOfTold = (told: BankTransaction, life: BankLife): string => {
  const isDone = life.stage === 'completed'
  const isTrade = life.type === 'BUY' || life.type === 'SELL'
  const expected = {
    transactionId: `tx_${life.id}`,
    idempotencyKey: life.key,
    bankUserId: life.customer,
    type: life.type,
    ...(told.status === 'PENDING'
      ? {}
      : { status: isDone ? 'COMPLETED' : 'FAILED', errorCode: isDone ? null : life.code }),
    ...sides(life),
    exchangeRate: life.price === 0n ? null : life.price,
    createdAtMs: Number(life.createdAt),
  }
  const units = {
    amountIn: unitsOf(told.amountIn),
    amountOut: unitsOf(told.amountOut),
    exchangeRate: unitsOf(told.exchangeRate),
  }
  const wrong = differences({ ...told, ...units }, expected)
  if (wrong !== '' || told.status === 'PENDING') return wrong
  const fee = isDone && isTrade ? life.spread : null
  if (unitsOf(told.feeAmount) !== fee) return `feeAmount ${told.feeAmount}, not ${fee === null ? 'null' : shown(fee)}`
  const entries = faultsOfEntries(told, life)
  return entries === '' ? faultsOfAnswer(told, life) : entries
}

/** The HTTP answer that the original call got. */
const faultsOfAnswer = (told: BankTransaction, life: BankLife): string => {
  const body = told.answer?.body as
    | { readonly success?: boolean; readonly errorCode?: string; readonly data?: Readonly<Record<string, unknown>> }
    | undefined
  const isDone = life.stage === 'completed'
  if ((told.answer?.status === 201) !== isDone || body?.success !== isDone)
    return `the answer is ${told.answer?.status}, success ${body?.success}`
  if (!isDone)
    return body.errorCode === life.code ? '' : `the answer's errorCode is ${body.errorCode}, not ${life.code}`
  const data = body.data ?? {}
  if (life.type === 'DEPOSIT' || life.type === 'WITHDRAWAL')
    return differences(data, { transactionId: `tx_${life.id}`, status: 'COMPLETED' })
  const told2 = {
    ...data,
    cryptoAmount: unitsOf(data['cryptoAmount']),
    exchangeRate: unitsOf(data['exchangeRate']),
    fiatAmount: unitsOf(data['fiatAmount']),
  }
  const expected = {
    transactionId: `tx_${life.id}`,
    status: 'COMPLETED',
    cryptoAmount: life.crypto,
    cryptoCurrency: life.cryptoCurrency,
    exchangeRate: life.price,
  }
  return differences(
    told2,
    life.type === 'BUY' ? expected : { ...expected, fiatAmount: life.fiat, fiatCurrency: life.fiatCurrency },
  )
}
