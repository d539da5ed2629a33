import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { SelectField } from '../design/controls.tsx'
import { applyScheme, browserStorage, schemes, storedScheme, type Scheme } from './scheme.ts'
import './shell.css'

/** The parts of the console, in their order. */
const PLACES = [
  { path: '/', name: 'Trade' },
  { path: '/history', name: 'History' },
  { path: '/wallet', name: 'Wallet' },
  { path: '/bank', name: 'Bank desk' },
  { path: '/platform', name: 'Platform' },
] as const

const SCHEME_NAMES: Readonly<Record<Scheme, string>> = { system: 'As the system', light: 'Light', dark: 'Dark' }

const isAt = (location: string, path: string): boolean =>
  path === '/' ? location === '/' : location === path || location.startsWith(`${path}/`)

const SchemeChoice = () => {
  const [scheme, setScheme] = useState(() => storedScheme(browserStorage))
  return (
    <SelectField
      label="Colours"
      value={scheme}
      options={schemes.map((value) => ({ value, label: SCHEME_NAMES[value] }))}
      onValue={(value) => {
        const chosen = schemes.find((known) => known === value) ?? 'system'
        setScheme(chosen)
        applyScheme(chosen, document.documentElement, browserStorage)
      }}
    />
  )
}

interface ShellProps {
  /** At the end of the head: who is signed in. */
  readonly account: ReactNode
  /** Above the page: what holds for all of it, such as a lost connection. */
  readonly notices: ReactNode
  readonly children: ReactNode
}

/** The frame around every page: ways to the others, what holds for all, the foot. Focus goes to a page that was opened. */
export const Shell = ({ account, notices, children }: ShellProps) => {
  const [location] = useLocation()
  const main = useRef<HTMLElement>(null)
  const nav = useRef<HTMLElement>(null)
  const before = useRef(location)
  useEffect(() => {
    const place = PLACES.find(({ path }) => isAt(location, path))
    document.title = place === undefined ? 'Bourse' : `${place.name} · Bourse`
    // On a phone the ways scroll sideways: the one that is open is seen.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    if (before.current === location) return
    before.current = location
    main.current?.focus()
  }, [location])
  return (
    <div className="shell">
      <a className="shell-skip" href="#main">
        To the content
      </a>
      <header className="shell-head">
        <Link href="/" className="shell-name">
          <img src="/icon.svg" alt="" width="28" height="28" />
          Bourse
        </Link>
        <nav className="shell-nav" aria-label="Pages" ref={nav}>
          {PLACES.map(({ path, name }) => (
            <Link key={path} href={path} aria-current={isAt(location, path) ? 'page' : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        {account}
      </header>
      <main id="main" className="shell-main" ref={main} tabIndex={-1}>
        {notices}
        {children}
      </main>
      <footer className="shell-foot row-between">
        <span>
          <a href="/docs">API reference</a> · Charts by{' '}
          <a href="https://www.tradingview.com/" rel="noreferrer">
            TradingView Lightweight Charts™
          </a>
        </span>
        <SchemeChoice />
      </footer>
    </div>
  )
}
