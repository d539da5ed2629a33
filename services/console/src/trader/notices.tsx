import { useEffect, useState } from 'react'
import { Button } from '../design/controls.tsx'
import { Banner } from '../design/surfaces.tsx'
import { useConnection, useMe, useStore } from '../session/hooks.ts'
import { useHasNetwork, useTrader } from './hooks.ts'
import type { Message } from './state.ts'

/** Seconds from now until a moment, counted down while it is shown. */
const useSecondsUntil = (atMs: number | null): number | null => {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    if (atMs === null) return
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [atMs])
  return atMs === null ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1_000))
}

/** After a break this long it is said: shorter ones mend themselves before anybody could read it. */
const SAID_AFTER_MS = 700

/** Whether there has been no connection for long enough to say so. */
const useIsLost = (isOpen: boolean): boolean => {
  const [isLost, setIsLost] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setIsLost(!isOpen), isOpen ? 0 : SAID_AFTER_MS)
    return () => clearTimeout(timer)
  }, [isOpen])
  return isLost && !isOpen
}

const ConnectionNotice = () => {
  const connection = useConnection()
  const hasNetwork = useHasNetwork()
  const isLost = useIsLost(connection.state === 'open' && hasNetwork)
  const seconds = useSecondsUntil(connection.state === 'waiting' ? connection.retryAtMs : null)
  if (!isLost) return null
  return (
    <Banner
      tone="danger"
      title={hasNetwork ? 'No connection to the server' : 'This device is offline'}
      testId="notice-connection"
    >
      Prices and trades here may be old, and orders wait until it is back. Stops, targets and liquidations go on at the
      server. {/* Not announced each second: the words above say what matters. */}
      <span aria-hidden="true">
        {connection.state === 'waiting' && seconds !== null && hasNetwork
          ? `Trying again in ${seconds} s.`
          : 'Trying again.'}
      </span>
    </Banner>
  )
}

const SessionNotice = () => {
  const me = useMe()
  const { state } = useTrader()
  if (me.status !== 'expired') return null
  return (
    <Banner
      tone="warn"
      title="Your session has ended"
      testId="notice-session"
      action={
        <Button small tone="primary" onClick={() => state.dialog.set('sign-in')}>
          Sign in again
        </Button>
      }
    >
      What you typed stays as it is. Your open trades go on at the server, with their stops and targets.
    </Banner>
  )
}

/** Good news goes by itself: it stands in the open trades, the history and the balance too. All else stays until it is closed. */
const GONE_AFTER_MS = 10_000

const MessageBanner = ({ message: { id, name, tone, title, words } }: { readonly message: Message }) => {
  const { state } = useTrader()
  useEffect(() => {
    if (tone !== 'good') return
    const timer = setTimeout(() => state.unsay(id), GONE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [id, tone, state])
  return (
    <Banner tone={tone} title={title} testId={`notice-${name}`} onClose={() => state.unsay(id)}>
      {words}
    </Banner>
  )
}

const Messages = () => {
  const { state } = useTrader()
  const messages = useStore(state.messages)
  return (
    <div className="messages">
      {messages.map((message) => (
        <MessageBanner key={message.id} message={message} />
      ))}
    </div>
  )
}

/** Above every page: a lost connection, a session that ended, what happened to the trades. */
export const Notices = () => (
  <>
    <ConnectionNotice />
    <SessionNotice />
    <Messages />
  </>
)
