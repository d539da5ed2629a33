import { useState, type ReactNode } from 'react'
import { Button, TextField } from '../design/controls.tsx'

interface SearchFormProps {
  readonly label: string
  readonly hint?: string
  readonly inputMode?: 'numeric' | 'text'
  readonly fieldTestId: string
  readonly button: string
  readonly buttonTestId?: string
  /** Takes what was typed; answers what is wrong with it, in words, or null. */
  readonly onSearch: (typed: string) => string | null
  /** Other ways than by what is typed. */
  readonly children?: ReactNode
}

/** A line to look something up by: what is typed is judged when it is sent, and what is wrong stands at the field. */
export const SearchForm = (props: SearchFormProps) => {
  const { label, hint, inputMode = 'text', fieldTestId, button, buttonTestId, onSearch, children } = props
  const [typed, setTyped] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  return (
    <form
      className="search"
      onSubmit={(event) => {
        event.preventDefault()
        setFault(onSearch(typed))
      }}
    >
      <TextField
        label={label}
        {...(hint === undefined ? {} : { hint })}
        value={typed}
        onValue={setTyped}
        fault={fault}
        inputMode={inputMode}
        autoComplete="off"
        spellCheck={false}
        autoCapitalize="none"
        data-testid={fieldTestId}
      />
      <Button type="submit" data-testid={buttonTestId}>
        {button}
      </Button>
      {children}
    </form>
  )
}
