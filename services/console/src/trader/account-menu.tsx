import { Button } from '../design/controls.tsx'
import { formatMoney } from '../format/decimal.ts'
import { useAccount, useMe } from '../session/hooks.ts'
import { useTrader } from './hooks.ts'
import './trader.css'
import { SignDialog } from './sign-dialog.tsx'

/** At the end of the page's head: who is signed in and what is available, or the way in. */
export const AccountMenu = () => {
  const trader = useTrader()
  const me = useMe()
  // An account begins with one currency; of more the wallet tells.
  const balance = useAccount().value?.balances[0]
  return (
    <div className="account">
      {me.status === 'signed-in' ? (
        <>
          <span className="account-who">
            <span className="soft small" data-testid="account-email">
              {me.user.email}
            </span>
            {balance === undefined ? null : (
              <span className="small">
                <span className="number" data-testid="account-available">
                  {formatMoney(balance.available, balance.asset)}
                </span>
                <span className="account-word"> available</span>
              </span>
            )}
          </span>
          <Button small onClick={() => void trader.signOut()} data-testid="sign-out">
            Sign out
          </Button>
        </>
      ) : null}
      {me.status === 'anonymous' || me.status === 'expired' ? (
        <>
          <Button small onClick={() => trader.state.dialog.set('sign-in')} data-testid="sign-in">
            Sign in
          </Button>
          <Button small tone="primary" onClick={() => trader.state.dialog.set('sign-up')} data-testid="sign-up">
            Sign up
          </Button>
        </>
      ) : null}
      <SignDialog />
    </div>
  )
}
