import { useState } from 'react'
import { Button, Choice, TextField } from '../design/controls.tsx'
import { Banner, Dialog } from '../design/surfaces.tsx'
import { refusalWords } from '../format/refusals.ts'
import { emailFault, newPasswordFault, PASSWORD_RULES, passwordFault } from './credentials.ts'
import { useMe, useStore } from '../session/hooks.ts'
import { useTrader } from './hooks.ts'
import { refusedOf, type Refused } from './intent.ts'

type Side = 'sign-in' | 'sign-up'

/** The fields; mounted anew each time the dialog opens, so that no password stays in the page. */
const Fields = ({ side }: { readonly side: Side }) => {
  const trader = useTrader()
  const [email, setEmail] = useState(() => trader.lastEmail.getSnapshot() ?? '')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [refused, setRefused] = useState<Refused | null>(null)
  const faults = {
    email: emailFault(email),
    password: side === 'sign-up' ? newPasswordFault(password) : passwordFault(password),
  }
  const send = async (): Promise<void> => {
    setTried(true)
    if (faults.email !== null || faults.password !== null) return
    setBusy(true)
    setRefused(null)
    try {
      await (side === 'sign-up' ? trader.signUp({ email, password }) : trader.signIn({ email, password }))
    } catch (error) {
      setRefused(refusedOf(error))
    } finally {
      setBusy(false)
    }
  }
  const words = refused === null ? null : refusalWords(refused.code, refused)
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <TextField
        label="E-mail"
        data-autofocus
        type="email"
        autoComplete="username"
        spellCheck={false}
        autoCapitalize="none"
        value={email}
        fault={tried ? faults.email : null}
        data-testid="sign-email"
        onValue={setEmail}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete={side === 'sign-up' ? 'new-password' : 'current-password'}
        value={password}
        fault={tried ? faults.password : null}
        {...(side === 'sign-up' ? { hint: PASSWORD_RULES } : {})}
        data-testid="sign-password"
        onValue={setPassword}
      />
      {words === null ? null : (
        <Banner
          tone="danger"
          title={refused?.code === 'UNAUTHENTICATED' ? 'Wrong e-mail or password' : words.title}
          testId="notice-sign"
        >
          {words.what} {refused?.code === 'UNAUTHENTICATED' ? 'Check both, or sign up.' : words.remedy}
        </Banner>
      )}
      <Button type="submit" tone="primary" busy={busy} data-testid="sign-submit">
        {side === 'sign-up' ? 'Sign up and open my account' : 'Sign in'}
      </Button>
    </form>
  )
}

/** Signing up or in, over the page: what was being done stays as it is behind it. */
export const SignDialog = () => {
  const { state } = useTrader()
  const me = useMe()
  const side = useStore(state.dialog)
  const close = (): void => state.dialog.set('closed')
  if (side === 'closed') return null
  return (
    <Dialog title={side === 'sign-up' ? 'Sign up' : 'Sign in'} open onClose={close}>
      {me.status === 'expired' ? (
        <p>Your session has ended. Sign in again: what you typed is kept, and trades go on meanwhile.</p>
      ) : null}
      <Choice
        legend="Do you have an account?"
        value={side}
        options={[
          { value: 'sign-in', label: 'I have an account' },
          { value: 'sign-up', label: 'I am new' },
        ]}
        onValue={(next) => state.dialog.set(next)}
      />
      <Fields key={side} side={side} />
    </Dialog>
  )
}
