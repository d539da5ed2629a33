import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { Button } from '../design/controls.tsx'
import { Shown } from '../design/shown.tsx'
import { Empty, Panel } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatDateTime, formatTime } from '../format/time.ts'
import { Accounts } from './accounts.tsx'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { pathOf } from './pages.ts'
import { customerIdFault } from './search.ts'
import { SearchForm } from './search-form.tsx'

const linkTo = (page: 'transactions' | 'trade', bankUserId: string): string =>
  `${pathOf(page)}?customer=${encodeURIComponent(bankUserId)}`

const Customer = ({ bankUserId }: { readonly bankUserId: string }) => (
  <div className="stack">
    <Accounts bankUserId={bankUserId} />
    <div className="row">
      <Link href={linkTo('transactions', bankUserId)}>Transactions of this customer</Link>
      <Link href={linkTo('trade', bankUserId)}>Quote and trade for this customer</Link>
    </div>
  </div>
)

const Search = () => {
  const [found, setFound] = useState<string | null>(null)
  return (
    <Panel title="Find a customer">
      <SearchForm
        label="Your id of the customer"
        fieldTestId="customer-search"
        button="Show accounts"
        buttonTestId="customer-find"
        onSearch={(typed) => {
          const wrong = customerIdFault(typed)
          setFound(wrong === null ? typed.trim() : null)
          return wrong
        }}
      />
      {found === null ? null : (
        <div data-testid="customer-found">
          <h3>{found}</h3>
          <Customer key={found} bankUserId={found} />
        </div>
      )}
    </Panel>
  )
}

const List = () => {
  const { api } = useDesk()
  const [opened, setOpened] = useState<string | null>(null)
  const asked = useInfiniteQuery({
    queryKey: ['customers'],
    queryFn: ({ pageParam, signal }) => api.customers(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })
  const asOf = asked.data?.pages.at(-1)?.asOf
  return (
    <Panel
      title="Customers"
      aside={asOf === undefined ? null : <span className="soft small">as of {formatTime(asOf)}</span>}
    >
      <Shown what="customers" asked={asked} explain={explain} lines={5}>
        {({ pages }) => {
          const customers = pages.flatMap((page) => page.customers)
          if (customers.length === 0)
            return (
              <Empty title="No customers yet">The first deposit, quote or trade that names one creates them.</Empty>
            )
          return (
            <Table
              caption="Customers"
              rows={customers}
              keyOf={({ bankUserId }) => bankUserId}
              testIdOf={({ bankUserId }) => `customer-${bankUserId}`}
              columns={[
                { name: 'Id', cell: ({ bankUserId }) => <span className="breakable">{bankUserId}</span> },
                { name: 'KYC level', numeric: true, cell: ({ kycLevel }) => kycLevel },
                { name: 'Since', wideOnly: true, cell: ({ createdAt }) => formatDateTime(createdAt) },
                {
                  name: 'Accounts',
                  cell: ({ bankUserId }) => (
                    <Button
                      small
                      aria-expanded={opened === bankUserId}
                      aria-label={`${opened === bankUserId ? 'Hide' : 'Show'} the accounts of ${bankUserId}`}
                      onClick={() => setOpened(opened === bankUserId ? null : bankUserId)}
                    >
                      {opened === bankUserId ? 'Hide' : 'Show'}
                    </Button>
                  ),
                },
              ]}
              detail={({ bankUserId }) => (opened === bankUserId ? <Customer bankUserId={bankUserId} /> : null)}
            />
          )
        }}
      </Shown>
      {asked.hasNextPage ? (
        <Button busy={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()} data-testid="customers-more">
          Show more
        </Button>
      ) : null}
    </Panel>
  )
}

/** The bank's customers: by id, and all of them in pages. */
export const Customers = () => (
  <>
    <Search />
    <List />
  </>
)
