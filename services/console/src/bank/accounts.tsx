import { useQuery } from '@tanstack/react-query'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { Shown } from '../design/shown.tsx'
import { Empty } from '../design/surfaces.tsx'
import { Table } from '../design/table.tsx'
import { formatMoney, signOf } from '../format/decimal.ts'
import { useDesk } from './desk.ts'
import { explain } from './desk-words.ts'
import { availableOf } from './limits.ts'

interface AccountsProps {
  readonly bankUserId: string
}

/** A customer's accounts. A customer that is not there yet is no fault: a deposit makes them. */
export const Accounts = ({ bankUserId }: AccountsProps) => {
  const { api } = useDesk()
  const asked = useQuery({
    queryKey: ['accounts', bankUserId],
    queryFn: ({ signal }) => api.accounts(bankUserId, signal),
  })
  if (asked.error instanceof BourseRefusal && asked.error.status === 404)
    return (
      <Empty title={`No customer has the id ${bankUserId}`}>
        Ids are your own, to the letter. A first deposit creates the customer.
      </Empty>
    )
  return (
    <Shown what={`accounts of ${bankUserId}`} asked={asked} explain={explain}>
      {(accounts) =>
        accounts.length === 0 ? (
          <Empty title="No accounts yet">A first deposit or trade opens them.</Empty>
        ) : (
          <Table
            caption={`Accounts of ${bankUserId}`}
            rows={accounts}
            keyOf={({ currency }) => currency}
            testIdOf={({ currency }) => `account-${currency}`}
            columns={[
              { name: 'Currency', cell: ({ currency }) => currency },
              { name: 'Balance', numeric: true, cell: ({ balance, currency }) => formatMoney(balance, currency) },
              {
                name: 'Locked',
                numeric: true,
                cell: ({ lockedBalance, currency }) =>
                  signOf(lockedBalance) === 0 ? '–' : formatMoney(lockedBalance, currency),
              },
              {
                name: 'Available',
                numeric: true,
                cell: (account) => formatMoney(availableOf(account), account.currency),
              },
            ]}
          />
        )
      }
    </Shown>
  )
}
