/** Addresses of the console's pages. All are the same document: which page it shows, the console reads from the address. */
const PAGES: ReadonlySet<string> = new Set(['/', '/history', '/wallet', '/bank', '/platform'])

/** Folders of pages that the console alone tells apart: `/bank/customers`, `/bank/customers/user_123`, … */
const FOLDERS_OF_PAGES: readonly string[] = ['/bank/']

/** The console's document in its build. */
export const DOCUMENT = '/index.html'

/** Whether an address is one of the console's pages. No page is a file: nothing of the address gets to a disk. */
export const isPage = (path: string): boolean =>
  PAGES.has(path) || FOLDERS_OF_PAGES.some((folder) => path.startsWith(folder))
