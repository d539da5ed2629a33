/** Whether an order could be sent now, and if not why and what to do: one reason, the one to deal with first. */

/** What an order needs besides its own fields. */
export interface Conditions {
  readonly connection: 'connecting' | 'open' | 'waiting' | 'stopped'
  readonly signedIn: 'signed-in' | 'anonymous' | 'unknown' | 'expired'
  readonly account: 'open' | 'none' | 'loading' | 'failed'
  readonly marketState: 'Open' | 'ReduceOnly' | 'Halted'
  readonly freshness: 'fresh' | 'stale' | 'none'
}

/** Why something can't be done. `act` names the button that would help. */
export interface Hindrance {
  readonly name: 'connection' | 'session' | 'account' | 'reduce-only' | 'halted' | 'price'
  readonly words: string
  readonly act: 'sign-in' | 'open-account' | null
}

const hindrance = (name: Hindrance['name'], words: string, act: Hindrance['act'] = null): Hindrance => ({
  name,
  words,
  act,
})

/** What stands in the way of `action` on a market; null when nothing does. Setting a stop needs what closing needs. */
export const hindranceOf = (action: 'open' | 'close' | 'update', conditions: Conditions): Hindrance | null => {
  const { connection, signedIn, account, marketState, freshness } = conditions
  if (signedIn === 'anonymous') return hindrance('session', 'Sign in or sign up to trade.', 'sign-in')
  if (signedIn === 'expired')
    return hindrance('session', 'Your session has ended. Sign in again: what you typed stays here.', 'sign-in')
  if (connection !== 'open')
    return hindrance('connection', 'No connection to the server: prices here may be old. It is being tried again.')
  if (signedIn === 'unknown') return hindrance('session', 'Finding out who is signed in.')
  if (account === 'none') return hindrance('account', 'You have no trading account yet.', 'open-account')
  if (account === 'loading') return hindrance('account', 'Your balances are being read.')
  if (account === 'failed') return hindrance('account', 'Your balances could not be read yet. It is being tried again.')
  if (marketState === 'Halted')
    return hindrance('halted', 'This market is halted: nothing opens or closes until it is open again.')
  if (marketState === 'ReduceOnly' && action === 'open')
    return hindrance('reduce-only', 'This market takes no new trades for now. Open ones can be closed.')
  if (freshness === 'none') return hindrance('price', 'There is no price of this market yet.')
  if (freshness === 'stale')
    return hindrance('price', 'The last price is too old to trade on. It goes on with the next one.')
  return null
}
