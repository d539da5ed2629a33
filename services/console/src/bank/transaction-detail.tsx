import { Refused } from '../design/refusal.tsx'
import { Badge, Banner, Fact, Facts, Text } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDecimal, formatMoney } from '../format/decimal.ts'
import { formatDateTime } from '../format/time.ts'
import { deskWords } from './desk-words.ts'
import type { BankEntry, BankTransaction } from './shapes.ts'
import { ownerWords, sideWords, STATUS_WORDS, TYPE_WORDS } from './transaction-words.ts'

/** An amount of an entry with its sign in words: colour alone says nothing. */
const EntryAmount = ({ amount, currency }: Pick<BankEntry, 'amount' | 'currency'>) => (
  <span className={amount.startsWith('-') ? 'down' : 'up'}>{formatMoney(amount, currency, { sign: true })}</span>
)

const Entries = ({ transaction: { id, entries } }: { readonly transaction: BankTransaction }) => (
  <div data-testid="entries">
    <Table
      caption={`Entries of ${id}`}
      rows={entries}
      keyOf={(entry) => entry.id}
      testIdOf={() => 'entry'}
      columns={[
        {
          name: 'Account',
          cell: ({ accountId }) => (
            <>
              <div>{ownerWords(accountId)}</div>
              <div className="number small soft breakable wide-only">{accountId}</div>
            </>
          ),
        },
        { name: 'Amount', numeric: true, cell: (entry) => <EntryAmount {...entry} /> },
        {
          name: 'Balance after',
          numeric: true,
          cell: ({ balanceAfter, currency }) => formatMoney(balanceAfter, currency),
        },
      ]}
    />
  </div>
)

/** An amount, or a dash where the transaction has none. */
export const Amount = ({ amount, currency }: { readonly amount: string | null; readonly currency: string | null }) =>
  amount === null || currency === null ? '–' : formatMoney(amount, currency)

/** Where a transaction stands. */
export const StatusBadge = ({ status }: Pick<BankTransaction, 'status'>) => (
  <Badge tone={STATUS_WORDS[status].tone}>{STATUS_WORDS[status].words}</Badge>
)

const End = ({ transaction }: { readonly transaction: BankTransaction }) => {
  const { status, errorCode, message } = transaction
  if (status === 'PENDING')
    return (
      <Banner tone="warn" title="Not at its end yet">
        It was accepted and what the customer pays with is locked. It ends by itself, completed or failed; look again in
        a moment.
      </Banner>
    )
  if (status === 'FAILED')
    return <Refused words={deskWords(errorCode ?? 'INTERNAL_ERROR', { message })} code={errorCode ?? 'no code'} />
  return null
}

interface TransactionDetailProps {
  readonly transaction: BankTransaction
  /** How it ended is said beside it already. */
  readonly isEndSaid?: boolean
}

/** All of a transaction: what moved, at what rate, its key, its entries, and why it failed if it did. */
export const TransactionDetail = ({ transaction, isEndSaid = false }: TransactionDetailProps) => {
  const { id, idempotencyKey, bankUserId, type, amountIn, currencyIn, amountOut, currencyOut } = transaction
  const fiat = type === 'SELL' ? currencyOut : currencyIn
  const sides = sideWords(transaction)
  return (
    <div className="stack bank-facts" data-testid={`transaction-${id}-detail`}>
      {isEndSaid ? null : <End transaction={transaction} />}
      <Facts>
        <Fact name="Kind">
          <Text>{TYPE_WORDS[type]}</Text>
        </Fact>
        <Fact name="Status">
          <StatusBadge status={transaction.status} />
        </Fact>
        <Fact name="Customer">
          <Text>{bankUserId}</Text>
        </Fact>
        <Fact name="When">
          <Text>{formatDateTime(transaction.createdAt)}</Text>
        </Fact>
        {amountIn === null ? null : (
          <Fact name={sides.in}>
            <Amount amount={amountIn} currency={currencyIn} />
          </Fact>
        )}
        {amountOut === null ? null : (
          <Fact name={sides.out}>
            <Amount amount={amountOut} currency={currencyOut} />
          </Fact>
        )}
        {transaction.exchangeRate === null ? null : (
          <Fact name="Rate">{formatDecimal(transaction.exchangeRate, { maxDecimals: 8 })}</Fact>
        )}
        {transaction.feeAmount === null ? null : (
          <Fact name="Spread earned">
            <Amount amount={transaction.feeAmount} currency={fiat} />
          </Fact>
        )}
      </Facts>
      {transaction.entries.length === 0 ? (
        transaction.status === 'PENDING' ? null : (
          <p className="soft">No entries: nothing was booked.</p>
        )
      ) : (
        <Entries transaction={transaction} />
      )}
      <p className="small soft breakable">
        Transaction <span className="number">{id}</span>
        {isEndSaid ? null : (
          <>
            {' · idempotency key '}
            <span className="number">{idempotencyKey}</span>
          </>
        )}
      </p>
    </div>
  )
}
