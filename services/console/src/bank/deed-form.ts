import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { formatMoney } from '../format/decimal.ts'
import { parseInput } from '../format/input.ts'
import type { Deed, DeedKind } from './intent.ts'
import { customerIdFault } from './search.ts'
import type { BankPair } from './shapes.ts'

/** What is typed for a deed. */
export interface DeedForm {
  readonly kind: DeedKind
  readonly bankUserId: string
  /** The pair that is bought or sold, by its symbol. */
  readonly symbol: string
  /** The fiat of a deposit or withdrawal. */
  readonly currency: string
  readonly amount: string
  readonly reference: string
}

/** Nothing typed yet: a buy of a pair. */
export const emptyForm = ({ symbol, quoteAsset }: BankPair): DeedForm => ({
  kind: 'BUY',
  bankUserId: '',
  symbol,
  currency: quoteAsset,
  amount: '',
  reference: '',
})

/** The form after its deed was done: what was done is not left standing, ready to be done again by a second press. */
export const spentForm = (form: DeedForm): DeedForm => ({ ...form, amount: '', reference: '' })

/** What is wrong with each field, in words. */
export type DeedFaults = Readonly<Partial<Record<'bankUserId' | 'amount' | 'reference', string>>>

/** Longest reference of a deposit or withdrawal. */
export const REFERENCE_LENGTH_MAX = 256
const FIAT_DECIMALS = 2

/** Whether it buys or sells, rather than moves fiat. */
export const isTrade = (kind: DeedKind): kind is 'BUY' | 'SELL' => kind === 'BUY' || kind === 'SELL'

/** In what the amount of a deed is: fiat but for a sell, which is in crypto. */
export const assetOf = ({ kind, currency }: Pick<DeedForm, 'kind' | 'currency'>, pair: BankPair): string => {
  if (!isTrade(kind)) return currency
  return kind === 'BUY' ? pair.quoteAsset : pair.baseAsset
}

const decimalsOf = (value: string): number => (value.split('.')[1] ?? '').replace(/0+$/, '').length

/** The bounds a pair sets on the fiat of a buy; the fiat of a sell is only known with its price, so the platform judges it. */
const boundsFault = (value: string, { minAmount, maxAmount, quoteAsset }: BankPair): string | null => {
  const units = parseAmount(value)
  const most = parseAmount(maxAmount)
  if (units < parseAmount(minAmount)) return `At least ${formatMoney(minAmount, quoteAsset)}.`
  return most > 0n && units > most ? `At most ${formatMoney(maxAmount, quoteAsset)}.` : null
}

const stepFault = (kind: DeedKind, value: string, { lotSize, baseAsset }: BankPair): string | null => {
  if (kind !== 'SELL') return decimalsOf(value) > FIAT_DECIMALS ? `Fiat has at most ${FIAT_DECIMALS} decimals.` : null
  const lot = parseAmount(lotSize)
  return lot > 0n && parseAmount(value) % lot !== 0n
    ? `A multiple of the lot, ${formatAmount(lot)} ${baseAsset}.`
    : null
}

const readAmount = (
  { kind, amount }: DeedForm,
  pair: BankPair,
): { readonly value: string } | { readonly fault: string } => {
  const input = parseInput(amount)
  if (!input.ok) return { fault: `${input.words.charAt(0).toUpperCase()}${input.words.slice(1)}.` }
  if (parseAmount(input.value) === 0n) return { fault: 'Enter an amount above zero.' }
  const fault = stepFault(kind, input.value, pair) ?? (kind === 'BUY' ? boundsFault(input.value, pair) : null)
  return fault === null ? { value: input.value } : { fault }
}

const referenceFault = ({ kind, reference }: DeedForm): string | null => {
  if (isTrade(kind)) return null
  const plain = reference.trim()
  if (plain === '') return 'Enter a reference, such as the number of the payment in your books.'
  return plain.length > REFERENCE_LENGTH_MAX ? `A reference has at most ${REFERENCE_LENGTH_MAX} characters.` : null
}

/** The deed that was typed, at no quote, or what is wrong with its fields. The platform judges it again. */
export const readDeed = (
  form: DeedForm,
  pair: BankPair,
): { readonly ok: true; readonly deed: Deed } | { readonly ok: false; readonly faults: DeedFaults } => {
  const amount = readAmount(form, pair)
  const customer = customerIdFault(form.bankUserId)
  const reference = referenceFault(form)
  if ('value' in amount && customer === null && reference === null)
    return {
      ok: true,
      deed: {
        kind: form.kind,
        bankUserId: form.bankUserId.trim(),
        amount: amount.value,
        currency: assetOf(form, pair),
        quoteId: null,
        reference: isTrade(form.kind) ? '' : form.reference.trim(),
      },
    }
  return {
    ok: false,
    faults: {
      ...('fault' in amount ? { amount: amount.fault } : {}),
      ...(customer === null ? {} : { bankUserId: customer }),
      ...(reference === null ? {} : { reference }),
    },
  }
}

/** What a deed does, in a sentence that stands on its button. */
export const deedWords = ({ kind, bankUserId, amount, currency }: Deed, pair: BankPair): string => {
  const money = formatMoney(amount, currency)
  switch (kind) {
    case 'BUY':
      return `Buy ${pair.baseAsset} for ${money} for ${bankUserId}`
    case 'SELL':
      return `Sell ${money} of ${bankUserId} for ${pair.quoteAsset}`
    case 'DEPOSIT':
      return `Deposit ${money} for ${bankUserId}`
    case 'WITHDRAWAL':
      return `Withdraw ${money} of ${bankUserId}`
  }
}
