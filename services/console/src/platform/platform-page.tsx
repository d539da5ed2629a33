import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { TextField } from '../design/controls.tsx'
import { Refused } from '../design/refusal.tsx'
import { Banner } from '../design/surfaces.tsx'
import { Unlock } from '../design/unlock.tsx'
import { useVault, useVaultState } from '../session/vault-hooks.ts'
import type { LockReason, Vault } from '../session/vault.ts'
import { createPlatformDesk, platformApiWith, PlatformContext } from './desk.ts'
import { PlatformOverview } from './platform-overview.tsx'
import { nameFault, NAME_LENGTH_MAX } from './who.ts'
import { explain } from './words.ts'
import './platform.css'

const LOCKED: Readonly<Record<LockReason, string | null>> = {
  new: null,
  asked: 'You locked the page. The token is forgotten.',
  idle: 'Nobody touched the console for 15 minutes, so the token is forgotten.',
  refused: 'The platform does not accept the token any more. It is forgotten.',
}

interface GateProps {
  readonly vault: Vault
  readonly reason: LockReason
}

/** Asks for the token and who looks, tries it, and opens the vault with a token that works. */
const Gate = ({ vault, reason }: GateProps) => {
  const [who, setWho] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const fault = nameFault(who)
  const open = async (token: string): Promise<void> => {
    if (fault !== null) return
    setBusy(true)
    setError(null)
    const name = who.trim()
    try {
      await platformApiWith(() => token, name).platform()
      vault.open(token)
      vault.keep(() => createPlatformDesk(vault, name))
    } catch (thrown) {
      setError(thrown)
      setBusy(false)
    }
  }
  const locked = LOCKED[reason]
  const notice =
    error !== null ? (
      <Refused {...explain(error)} />
    ) : locked === null ? null : (
      <Banner tone="info" title="Locked">
        {locked}
      </Banner>
    )
  return (
    <Unlock
      title="Platform"
      heading="Open with the administration token"
      label="Administration token"
      fields={
        <TextField
          label="Your name, for the audit"
          value={who}
          onValue={setWho}
          fault={fault}
          hint={`Empty: “admin”. At most ${NAME_LENGTH_MAX} characters.`}
          autoComplete="off"
          data-testid="platform-who"
        />
      }
      notice={notice}
      busy={busy}
      onUnlock={(token) => void open(token)}
      testId="platform"
    >
      <p className="soft">
        For an operator: partitions, shards, snapshots, the audit. This page only reads, and looking is journaled too:
        the audit keeps who looked, at the first look and then once a minute.
      </p>
    </Unlock>
  )
}

const OpenPage = ({ vault }: { readonly vault: Vault }) => {
  const [desk] = useState(() => vault.keep(() => createPlatformDesk(vault, '')))
  return (
    <QueryClientProvider client={desk.queries}>
      <PlatformContext value={desk}>
        <PlatformOverview onLock={() => vault.lock('asked')} />
      </PlatformContext>
    </QueryClientProvider>
  )
}

const Page = () => {
  const vault = useVault('platform')
  const state = useVaultState(vault)
  return state.isOpen ? <OpenPage key={state.opening} vault={vault} /> : <Gate vault={vault} reason={state.reason} />
}

export default Page
