/** Pages of the bank desk, in the order of their tabs. */
export const bankPages = ['overview', 'customers', 'transactions', 'trade', 'statement', 'events', 'sandbox'] as const
/** One of them. */
export type BankPage = (typeof bankPages)[number]

/** Their names. */
export const PAGE_NAMES: Readonly<Record<BankPage, string>> = {
  overview: 'Overview',
  customers: 'Customers',
  transactions: 'Transactions',
  trade: 'Quote and trade',
  statement: 'Statement',
  events: 'Events',
  sandbox: 'Sandbox',
}

/** Where a page is. */
export const pathOf = (page: BankPage): string => (page === 'overview' ? '/bank' : `/bank/${page}`)

/** The page at a path; null when there is none. */
export const pageAt = (path: string): BankPage | null => {
  const plain = path.replace(/\/+$/, '')
  return bankPages.find((page) => pathOf(page) === plain) ?? null
}
