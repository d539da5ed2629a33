import type { ReactNode } from 'react'
import { Button } from '../design/controls.tsx'
import { Banner, Empty, Loading } from '../design/surfaces.tsx'
import { refusalWords } from '../format/refusals.ts'
import { useAccount, useDesk, useMe } from '../session/hooks.ts'
import { useTrader } from './hooks.ts'

interface AccountInsteadProps {
  /** What would stand here, as a sentence begins: `Your balances`. */
  readonly what: string
  readonly lines?: number
  /** For an account that was read and has none of it; without it there is something to come. */
  readonly children?: ReactNode
}

/** What stands there as long as it is not known who is signed in; the desk asks again by itself. */
export const UntilKnown = ({ what, lines }: { readonly what: string; readonly lines: number }) => {
  const me = useMe()
  if (me.status !== 'unknown') return null
  if (me.failure === null) return <Loading what={what} lines={lines} />
  const { what: happened, remedy } = refusalWords(me.failure.code, me.failure)
  return (
    <Banner tone="warn" title="Who is signed in could not be found out">
      {happened} {remedy} It is asked again every few seconds.
    </Banner>
  )
}

/** What stands where a part of the account would be while there is none of it to show: why, and what to do. */
export const AccountInstead = ({ what, lines = 3, children }: AccountInsteadProps) => {
  const { status } = useMe()
  const { value, failure } = useAccount()
  const desk = useDesk()
  const { state, openAccount } = useTrader()
  const whatInside = what.charAt(0).toLowerCase() + what.slice(1)
  if (status === 'unknown') return <UntilKnown what={whatInside} lines={lines} />
  if (status === 'anonymous' || status === 'expired')
    return (
      <Empty title="Not signed in">
        <p>{what} stand here once you are.</p>
        <Button small tone="primary" onClick={() => state.dialog.set('sign-in')}>
          Sign in
        </Button>
      </Empty>
    )
  if (failure?.code === 'ACCOUNT_NOT_FOUND')
    return (
      <Empty title="No trading account yet">
        <p>It costs nothing and takes a moment.</p>
        <Button small tone="primary" onClick={() => void openAccount()}>
          Open my account
        </Button>
      </Empty>
    )
  if (failure !== null) {
    const { what: happened, remedy } = refusalWords(failure.code, failure)
    return (
      <Banner
        tone="warn"
        title={`${what} could not be read`}
        action={<Button onClick={desk.refresh}>Try again</Button>}
      >
        {happened} {remedy}
      </Banner>
    )
  }
  if (value === null || children === undefined) return <Loading what={whatInside} lines={lines} />
  return children
}
