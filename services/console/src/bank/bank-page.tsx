import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import { Refused } from '../design/refusal.tsx'
import { Banner } from '../design/surfaces.tsx'
import { Unlock } from '../design/unlock.tsx'
import { useVault, useVaultState } from '../session/vault-hooks.ts'
import type { LockReason, Vault } from '../session/vault.ts'
import { createBankDesk, bankApiWith, DeskContext } from './desk.ts'
import { explain } from './desk-words.ts'
import { DeskFrame } from './desk-frame.tsx'
import './bank.css'

const LOCKED: Readonly<Record<LockReason, string | null>> = {
  new: null,
  asked: 'You locked the desk. The key is forgotten.',
  idle: 'Nobody touched the desk for 15 minutes, so the key is forgotten.',
  refused: 'The platform does not accept the key any more: it has ended or was replaced. It is forgotten.',
}

/** Asks for the key, tries it, and opens the vault with a key that works. */
const Gate = ({ vault, reason }: { readonly vault: Vault; readonly reason: LockReason }) => {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const open = async (key: string): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      await bankApiWith(() => key).self()
      vault.open(key)
    } catch (fault) {
      // A suspended bank's key is right: the desk opens and says that the bank is suspended.
      if (fault instanceof BourseRefusal && fault.code === 'BANK_SUSPENDED') vault.open(key)
      else setError(fault)
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
      title="Bank desk"
      heading="Open with your bank’s key"
      label="API key of your bank"
      notice={notice}
      busy={busy}
      onUnlock={(key) => void open(key)}
      testId="bank"
    >
      <p className="soft">
        For a bank’s operations staff: customers, transactions and their entries, quotes, statements, events. Everything
        here is done with your bank’s own key and sees your bank’s customers only.
      </p>
    </Unlock>
  )
}

/** An open desk; what it read and what is under way outlives a look at another page, and goes with the key. */
const OpenDesk = ({ vault }: { readonly vault: Vault }) => {
  const [desk] = useState(() => vault.keep(() => createBankDesk(vault)))
  return (
    <QueryClientProvider client={desk.queries}>
      <DeskContext value={desk}>
        <DeskFrame onLock={() => vault.lock('asked')} />
      </DeskContext>
    </QueryClientProvider>
  )
}

const Page = () => {
  const vault = useVault('bank')
  const state = useVaultState(vault)
  return state.isOpen ? <OpenDesk key={state.opening} vault={vault} /> : <Gate vault={vault} reason={state.reason} />
}

export default Page
