import { useEffect, useId, useRef, type ReactNode } from 'react'
import { Button } from './controls.tsx'

interface PanelProps {
  readonly title: ReactNode
  /** Beside the title: actions, filters, ages. */
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** For pages that lay it out. */
  readonly area?: string
  readonly testId?: string
}

/** A titled part of a page; a region of its own for those who jump by regions. */
export const Panel = ({ title, aside, children, area, testId }: PanelProps) => {
  const id = useId()
  return (
    <section className={`panel${area === undefined ? '' : ` panel-${area}`}`} aria-labelledby={id} data-testid={testId}>
      <header className="row-between">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}

/** How grave a message is. */
export type BannerTone = 'info' | 'warn' | 'danger' | 'good'

interface BannerProps {
  readonly tone: BannerTone
  /** What happened, in a few words. */
  readonly title: string
  /** What it means, and what to do. */
  readonly children?: ReactNode
  /** A way to act on it. */
  readonly action?: ReactNode
  readonly onClose?: () => void
  readonly testId?: string
}

/** A message that stays until its cause is gone. Grave ones interrupt a screen reader, others wait. */
export const Banner = ({ tone, title, children, action, onClose, testId }: BannerProps) => (
  <div className={`banner banner-${tone}`} role={tone === 'danger' ? 'alert' : 'status'} data-testid={testId}>
    <div className="banner-words">
      <strong>{title}</strong>
      {children === undefined ? null : <div>{children}</div>}
    </div>
    {action}
    {onClose === undefined ? null : (
      <Button small onClick={onClose} aria-label={`Close: ${title}`}>
        Close
      </Button>
    )}
  </div>
)

interface DialogProps {
  readonly title: string
  readonly open: boolean
  readonly onClose: () => void
  /** What the button in its head says; `Close`, unless that could be taken for what the dialog is about. */
  readonly dismiss?: string
  readonly children: ReactNode
}

/** Where focus goes when a dialog is gone: back to what opened it, or to the page when that is gone too. */
const giveBack = (opener: Element | null): void => {
  const target = opener instanceof HTMLElement && opener.isConnected ? opener : document.getElementById('main')
  target?.focus({ preventScroll: true })
}

/**
 * A dialog over the page: focus stays inside, Escape closes, focus goes back where it was. It begins at what has
 * `data-autofocus`, else at the button in the head, which changes nothing.
 */
export const Dialog = ({ title, open, onClose, dismiss = 'Close', children }: DialogProps) => {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = element.current
    if (dialog === null || !open) return
    const opener = document.activeElement
    if (!dialog.open) dialog.showModal()
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus()
    return () => {
      dialog.close()
      giveBack(opener)
    }
  }, [open])
  return (
    <dialog ref={element} className="dialog" aria-labelledby={id} onClose={onClose}>
      {open ? (
        <div className="stack">
          <div className="row-between dialog-head">
            <h2 id={id}>{title}</h2>
            <Button small onClick={onClose}>
              {dismiss}
            </Button>
          </div>
          {children}
        </div>
      ) : null}
    </dialog>
  )
}

/** Where data will be. Announced once, shown as grey lines. */
export const Loading = ({ what, lines = 3 }: { readonly what: string; readonly lines?: number }) => (
  <div className="loading" role="status">
    <span className="hidden-visually">Loading {what}</span>
    {Array.from({ length: lines }, (_, index) => (
      <div key={index} className="loading-line" aria-hidden="true" />
    ))}
  </div>
)

/** Nothing to show, why, and what would change that. */
export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="empty">
    <strong>{title}</strong>
    {children === undefined ? null : <div className="soft">{children}</div>}
  </div>
)

/** A word with a ground: a state. */
export const Badge = ({ tone, children }: { readonly tone: BannerTone | 'plain'; readonly children: ReactNode }) => (
  <span className={`badge badge-${tone}`}>{children}</span>
)

/** A name and its value; the value is any node, mostly a number. */
export const Fact = ({
  name,
  children,
  title,
  testId,
}: {
  readonly name: string
  readonly children: ReactNode
  readonly title?: string
  /** For tests: on the value. */
  readonly testId?: string
}) => (
  <div className="fact" title={title}>
    <dt>{name}</dt>
    <dd className="number" data-testid={testId}>
      {children}
    </dd>
  </div>
)

/** Words among numbers: in the font of words. */
export const Text = ({ children }: { readonly children: ReactNode }) => <span className="words">{children}</span>

/** A list of facts: in columns, or one a line where `lines`. */
export const Facts = ({ children, lines = false }: { readonly children: ReactNode; readonly lines?: boolean }) => (
  <dl className={lines ? 'facts-lines facts-list' : 'facts facts-list'}>{children}</dl>
)
