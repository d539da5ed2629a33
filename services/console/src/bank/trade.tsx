import { useEffect, useState } from 'react'
import { useSearchParams } from 'wouter'
import { Choice, NumberField, SelectField, TextField } from '../design/controls.tsx'
import { Shown } from '../design/shown.tsx'
import { Empty, Panel } from '../design/surfaces.tsx'
import { useStore } from '../session/hooks.ts'
import { Accounts } from './accounts.tsx'
import { assetOf, emptyForm, isTrade, readDeed, type DeedFaults, type DeedForm } from './deed-form.ts'
import { DeedOutcome } from './deed-outcome.tsx'
import { DeedSend } from './deed-send.tsx'
import { useDesk, useSelf } from './desk.ts'
import { explain } from './desk-words.ts'
import { deedKinds, type Deed } from './intent.ts'
import { customerIdFault } from './search.ts'
import type { BankPair, BankSelf } from './shapes.ts'
import { TYPE_WORDS } from './transaction-words.ts'

const KINDS = deedKinds.map((kind) => ({
  value: kind,
  label: TYPE_WORDS[kind],
  ...(kind === 'BUY' ? { tone: 'up' as const } : kind === 'SELL' ? { tone: 'down' as const } : {}),
}))

interface FieldsProps {
  readonly form: DeedForm
  readonly bank: BankSelf
  readonly pair: BankPair
  readonly faults: DeedFaults
  readonly onForm: (change: Partial<DeedForm>) => void
}

const AMOUNT_LABELS = {
  BUY: 'Pays',
  SELL: 'Sells',
  DEPOSIT: 'Amount in',
  WITHDRAWAL: 'Amount out',
} as const satisfies Record<DeedForm['kind'], string>

const Fields = ({ form, bank, pair, faults, onForm }: FieldsProps) => {
  const fiats = [...new Set(bank.pairs.map(({ quoteAsset }) => quoteAsset))]
  return (
    <>
      <Choice legend="What to do" value={form.kind} options={KINDS} onValue={(kind) => onForm({ kind })} />
      <div className="field-row">
        <TextField
          label="Customer, by your own id"
          value={form.bankUserId}
          onValue={(bankUserId) => onForm({ bankUserId })}
          fault={faults.bankUserId ?? null}
          autoComplete="off"
          spellCheck={false}
          autoCapitalize="none"
          data-testid="trade-customer"
        />
        {isTrade(form.kind) ? (
          <SelectField
            label="Pair"
            value={pair.symbol}
            onValue={(symbol) => onForm({ symbol })}
            options={bank.pairs.map(({ symbol, baseAsset, quoteAsset }) => ({
              value: symbol,
              label: `${baseAsset} for ${quoteAsset}`,
            }))}
          />
        ) : (
          <SelectField
            label="Currency"
            value={form.currency}
            onValue={(currency) => onForm({ currency })}
            options={fiats.map((fiat) => ({ value: fiat, label: fiat }))}
          />
        )}
        <NumberField
          label={AMOUNT_LABELS[form.kind]}
          value={form.amount}
          onValue={(amount) => onForm({ amount })}
          unit={assetOf(form, pair)}
          fault={faults.amount ?? null}
          data-testid="trade-amount"
        />
        {isTrade(form.kind) ? null : (
          <TextField
            label="Reference"
            value={form.reference}
            onValue={(reference) => onForm({ reference })}
            fault={faults.reference ?? null}
            hint="The payment in your own books."
            autoComplete="off"
            data-testid="trade-reference"
          />
        )}
      </div>
    </>
  )
}

const TradeForm = ({ bank, first }: { readonly bank: BankSelf; readonly first: BankPair }) => {
  const [params] = useSearchParams()
  const { form: typed } = useDesk()
  const form = useStore(typed) ?? emptyForm(first)
  const customerAsked = params.get('customer')
  useEffect(() => {
    if (customerAsked !== null) typed.set({ ...(typed.getSnapshot() ?? emptyForm(first)), bankUserId: customerAsked })
  }, [customerAsked, typed, first])
  // Faults are said once something was asked for, and then follow what is typed.
  const [isJudged, setJudged] = useState(false)
  const pair = bank.pairs.find(({ symbol }) => symbol === form.symbol) ?? first
  const read = readDeed(form, pair)
  const customer = form.bankUserId.trim()
  const judge = (): Deed | null => {
    setJudged(!read.ok)
    return read.ok ? read.deed : null
  }
  return (
    <>
      <Panel title="Quote and trade" testId="trade-form">
        <Fields
          form={form}
          bank={bank}
          pair={pair}
          faults={isJudged && !read.ok ? read.faults : {}}
          onForm={(change) => typed.set({ ...form, ...change })}
        />
        <DeedSend
          deed={read.ok ? read.deed : null}
          kind={form.kind}
          pair={pair}
          ttlSeconds={bank.quotes.ttlSeconds}
          judge={judge}
        />
      </Panel>
      <DeedOutcome bank={bank} />
      <Panel title={customer === '' ? 'Accounts of the customer' : `Accounts of ${customer}`}>
        {customerIdFault(customer) === null ? (
          <Accounts bankUserId={customer} />
        ) : (
          <Empty title="Name a customer above">Balances show here before and after.</Empty>
        )}
      </Panel>
    </>
  )
}

/** Quotes and deeds for a customer. */
export const Trade = () => {
  const self = useSelf()
  return (
    <Shown what="the bank’s pairs" asked={self} explain={explain} lines={6}>
      {(bank) => {
        const [first] = bank.pairs
        return first === undefined ? (
          <Panel title="Quote and trade">
            <Empty title="Your bank has no pairs">The platform lists them in the bank’s manifest.</Empty>
          </Panel>
        ) : (
          <TradeForm bank={bank} first={first} />
        )
      }}
    </Shown>
  )
}
