import { useState, type ReactNode } from 'react'
import { Button, TextField } from './controls.tsx'
import { Panel } from './surfaces.tsx'

interface UnlockProps {
  readonly title: string
  /** Of the form: what it asks for. */
  readonly heading: string
  /** Name of the secret: "API key". */
  readonly label: string
  /** What opens with it, and what becomes of it. */
  readonly children: ReactNode
  /** What is asked besides the secret. */
  readonly fields?: ReactNode
  /** Why it did not open, or why it is closed again. */
  readonly notice: ReactNode
  readonly busy: boolean
  readonly onUnlock: (secret: string) => void
  readonly testId: string
}

/** Asks for a secret that this tab keeps in a variable only: no password manager, no history of forms. */
export const Unlock = ({ title, heading, label, children, fields, notice, busy, onUnlock, testId }: UnlockProps) => {
  const [typed, setTyped] = useState('')
  const secret = typed.trim()
  return (
    <div className="unlock stack">
      <h1>{title}</h1>
      <Panel title={heading}>
        {children}
        {notice}
        <form
          className="stack"
          autoComplete="off"
          onSubmit={(event) => {
            event.preventDefault()
            if (secret !== '' && !busy) onUnlock(secret)
          }}
        >
          {fields}
          <TextField
            label={label}
            type="password"
            value={typed}
            onValue={setTyped}
            autoComplete="off"
            spellCheck={false}
            autoCapitalize="none"
            data-1p-ignore=""
            data-lpignore="true"
            data-testid={`${testId}-key`}
            hint="Kept in this tab only, never on this device: a reload, “Lock”, or 15 minutes without a touch forgets it."
          />
          <Button type="submit" tone="primary" busy={busy} disabled={secret === ''} data-testid={`${testId}-unlock`}>
            Open
          </Button>
        </form>
      </Panel>
    </div>
  )
}
