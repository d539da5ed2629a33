import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { Badge, Empty, Panel } from '../design/surfaces.tsx'
import { Customers } from './customers.tsx'
import { useDesk, useSelf } from './desk.ts'
import { Events } from './events.tsx'
import { Lock } from './lock.tsx'
import { Overview } from './overview.tsx'
import { bankPages, PAGE_NAMES, pageAt, pathOf, type BankPage } from './pages.ts'
import { Sandbox } from './sandbox.tsx'
import { StatementPage } from './statement.tsx'
import { Trade } from './trade.tsx'
import { Transactions } from './transactions.tsx'
import { UnderWay } from './under-way.tsx'

const PAGES: Readonly<Record<BankPage, () => ReactNode>> = {
  overview: () => <Overview />,
  customers: () => <Customers />,
  transactions: () => <Transactions />,
  trade: () => <Trade />,
  statement: () => <StatementPage />,
  events: () => <Events />,
  sandbox: () => <Sandbox />,
}

interface DeskFrameProps {
  readonly onLock: () => void
}

const Head = ({ onLock }: DeskFrameProps) => {
  const { data } = useSelf()
  return (
    <div className="row-between">
      <div className="row">
        <h1 data-testid="bank-name">{data?.displayName ?? 'Bank desk'}</h1>
        {data === undefined ? null : (
          <>
            <Badge tone={data.state === 'Active' ? 'good' : 'danger'}>{data.state}</Badge>
            <span className="soft small wide-only">known to the platform as {data.name}</span>
          </>
        )}
      </div>
      <Lock onLock={onLock} />
    </div>
  )
}

/** The desk's name, tabs and the page that is open; what is under way is said on every page but its own. */
export const DeskFrame = ({ onLock }: DeskFrameProps) => {
  const { api } = useDesk()
  const [location] = useLocation()
  const { data: doors } = useQuery({
    queryKey: ['sandbox'],
    queryFn: ({ signal }) => api.sandbox(signal),
    staleTime: Infinity,
  })
  const hasSandbox = doors !== undefined && doors !== null && (doors.exchange || doors.bank)
  const tabs = bankPages.filter((page) => page !== 'sandbox' || hasSandbox)
  const page = pageAt(location)
  const isThere = page !== null && (page !== 'sandbox' || doors !== null)
  return (
    <>
      <Head onLock={onLock} />
      <nav className="tabs" aria-label="Bank desk">
        {tabs.map((tab) => (
          <Link
            key={tab}
            href={pathOf(tab)}
            aria-current={tab === page ? 'page' : undefined}
            data-testid={`bank-tab-${tab}`}
          >
            {PAGE_NAMES[tab]}
          </Link>
        ))}
      </nav>
      {page === 'trade' ? null : <UnderWay />}
      {isThere ? (
        PAGES[page]()
      ) : (
        <Panel title="Nothing here">
          <Empty title="The desk has no such page">Choose one above.</Empty>
        </Panel>
      )}
    </>
  )
}
