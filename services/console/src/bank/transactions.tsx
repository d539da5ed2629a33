import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSearchParams } from 'wouter'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { Button, TextField } from '../design/controls.tsx'
import { Shown } from '../design/shown.tsx'
import { Banner, Empty, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDateTime, formatTime } from '../format/time.ts'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { customerIdFault, readSearch, type Search } from './search.ts'
import { SearchForm } from './search-form.tsx'
import { Amount, StatusBadge, TransactionDetail } from './transaction-detail.tsx'
import { TYPE_WORDS } from './transaction-words.ts'

type Found = Exclude<Search, { kind: 'fault' }>

/** The one transaction of an id or key; that there is none is an answer as good as another. */
const One = ({ found }: { readonly found: Found }) => {
  const { api } = useDesk()
  const asked = useQuery({
    queryKey: ['transaction', found],
    queryFn: ({ signal }) =>
      found.kind === 'key' ? api.transactionByKey(found.key, signal) : api.transaction(found.id, signal),
    refetchInterval: ({ state }) => (state.data?.status === 'PENDING' ? 2_000 : false),
  })
  if (asked.error instanceof BourseRefusal && asked.error.status === 404)
    return (
      <div data-testid="search-none">
        <Banner tone="info" title={found.kind === 'key' ? 'No, it did not happen' : 'No such transaction'}>
          {found.kind === 'key'
            ? 'Nothing of your bank was recorded under this key. Sending the request with it is safe: it is done once at most.'
            : 'Your bank has no transaction with this id.'}
        </Banner>
      </div>
    )
  return (
    <Shown what="the transaction" asked={asked} explain={explain}>
      {(transaction) => (
        <div data-testid="search-found">
          <TransactionDetail transaction={transaction} />
        </div>
      )}
    </Shown>
  )
}

const DidItHappen = () => {
  const [found, setFound] = useState<Found | null>(null)
  return (
    <Panel title="Did it happen?">
      <SearchForm
        label="Transaction id or idempotency key"
        hint="Answers with every outcome that was ever answered, also after a timeout."
        fieldTestId="transaction-search"
        button="Look it up"
        buttonTestId="transaction-find"
        onSearch={(typed) => {
          const read = readSearch(typed)
          setFound(read.kind === 'fault' ? null : read)
          return read.kind === 'fault' ? read.words : null
        }}
      />
      {found === null ? null : <One found={found} />}
    </Panel>
  )
}

const useTransactions = (bankUserId: string | null) => {
  const { api } = useDesk()
  return useInfiniteQuery({
    queryKey: ['transactions', bankUserId],
    queryFn: ({ pageParam, signal }) => api.transactions({ bankUserId, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
}

const Rows = ({ customer }: { readonly customer: string | null }) => {
  const [opened, setOpened] = useState<string | null>(null)
  const asked = useTransactions(customer)
  const asOf = asked.data?.pages.at(-1)?.asOf
  return (
    <>
      <Shown what="transactions" asked={asked} explain={explain} lines={6}>
        {({ pages }) => {
          const transactions = pages.flatMap((page) => page.transactions)
          if (transactions.length === 0)
            return customer === null ? (
              <Empty title="No transactions yet">Deposits, withdrawals, buys and sells will stand here.</Empty>
            ) : (
              <Empty title={`No transactions of ${customer}`}>Ids are your own, to the letter.</Empty>
            )
          return (
            <Table
              caption="Transactions"
              rows={transactions}
              keyOf={({ id }) => id}
              testIdOf={({ id }) => `transaction-${id}`}
              columns={[
                { name: 'When', cell: ({ createdAt }) => formatDateTime(createdAt) },
                {
                  name: 'Kind',
                  cell: ({ type, amountIn, currencyIn, amountOut, currencyOut }) => (
                    <>
                      <div>{TYPE_WORDS[type]}</div>
                      <div className="number small soft phone-only">
                        <Amount
                          amount={amountIn ?? amountOut}
                          currency={amountIn === null ? currencyOut : currencyIn}
                        />
                      </div>
                    </>
                  ),
                },
                { name: 'Customer', wideOnly: true, cell: ({ bankUserId }) => bankUserId },
                {
                  name: 'In',
                  numeric: true,
                  wideOnly: true,
                  cell: ({ amountIn, currencyIn }) => <Amount amount={amountIn} currency={currencyIn} />,
                },
                {
                  name: 'Out',
                  numeric: true,
                  wideOnly: true,
                  cell: ({ amountOut, currencyOut }) => <Amount amount={amountOut} currency={currencyOut} />,
                },
                { name: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
                {
                  name: 'Entries',
                  cell: ({ id }) => (
                    <Button
                      small
                      aria-expanded={opened === id}
                      aria-label={`${opened === id ? 'Hide' : 'Show'} the entries of ${id}`}
                      onClick={() => setOpened(opened === id ? null : id)}
                    >
                      {opened === id ? 'Hide' : 'Show'}
                    </Button>
                  ),
                },
              ]}
              detail={(row) => (opened === row.id ? <TransactionDetail transaction={row} /> : null)}
            />
          )
        }}
      </Shown>
      <div className="row-between">
        {asked.hasNextPage ? (
          <Button
            busy={asked.isFetchingNextPage}
            onClick={() => void asked.fetchNextPage()}
            data-testid="transactions-more"
          >
            Show more
          </Button>
        ) : (
          <span />
        )}
        {asOf === undefined ? null : <span className="soft small">as of {formatTime(asOf)}</span>}
      </div>
    </>
  )
}

/** The bank's transactions: one by id or key, all or one customer's in pages, each with its entries. */
export const Transactions = () => {
  const [params, setParams] = useSearchParams()
  const customer = params.get('customer')
  const [typed, setTyped] = useState(customer ?? '')
  const [fault, setFault] = useState<string | null>(null)
  const show = (bankUserId: string): void => {
    const plain = bankUserId.trim()
    const wrong = plain === '' ? null : customerIdFault(plain)
    setFault(wrong)
    if (wrong === null) setParams(plain === '' ? {} : { customer: plain })
  }
  return (
    <>
      <DidItHappen />
      <Panel title={customer === null ? 'Transactions' : `Transactions of ${customer}`}>
        <form
          className="search"
          onSubmit={(event) => {
            event.preventDefault()
            show(typed)
          }}
        >
          <TextField
            label="Only of this customer"
            value={typed}
            onValue={setTyped}
            fault={fault}
            autoComplete="off"
            spellCheck={false}
            autoCapitalize="none"
            data-testid="transaction-filter"
          />
          <Button type="submit">Filter</Button>
          {customer === null ? null : (
            <Button
              onClick={() => {
                setTyped('')
                show('')
              }}
            >
              Show all
            </Button>
          )}
        </form>
        <Rows key={customer ?? ''} customer={customer} />
      </Panel>
    </>
  )
}
