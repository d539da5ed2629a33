import type { ReactNode } from 'react'
import { Button } from './controls.tsx'
import { Refused } from './refusal.tsx'
import { Loading } from './surfaces.tsx'

/** What was asked for, as it stands: nothing yet, an answer, or a fault (with the answer of before, where there is one). */
interface Asked<Data> {
  readonly data: Data | undefined
  readonly error: Error | null
  readonly isFetching: boolean
  readonly refetch: () => unknown
}

interface ShownProps<Data> {
  readonly what: string
  readonly asked: Asked<Data>
  /** A fault in words. */
  readonly explain: (error: Error) => {
    readonly words: { readonly title: string; readonly what: string; readonly remedy: string }
    readonly code: string
    readonly requestId: string | null
  }
  readonly lines?: number
  readonly children: (data: Data) => ReactNode
}

/** An answer once it is there; before, that it is on its way; after a fault, the fault with a way to ask again. */
export const Shown = <Data,>({ what, asked, explain, lines = 3, children }: ShownProps<Data>) => (
  <>
    {asked.error === null ? null : (
      <Refused
        {...explain(asked.error)}
        tone={asked.data === undefined ? 'danger' : 'warn'}
        action={
          <Button small busy={asked.isFetching} onClick={() => void asked.refetch()}>
            Try again
          </Button>
        }
      />
    )}
    {asked.data === undefined ? (
      asked.error === null ? (
        <Loading what={what} lines={lines} />
      ) : null
    ) : (
      children(asked.data)
    )}
  </>
)
