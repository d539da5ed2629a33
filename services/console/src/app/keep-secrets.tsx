import { useState, type ReactNode } from 'react'
import { createBrowserVaults } from '../session/vault.ts'
import { useTouch, VaultsContext } from '../session/vault-hooks.ts'

/** Keeps the tab's secrets over all pages, for as long as somebody is there. */
export const KeepSecrets = ({ children }: { readonly children: ReactNode }) => {
  const [vaults] = useState(createBrowserVaults)
  useTouch(vaults.bank)
  useTouch(vaults.platform)
  return <VaultsContext value={vaults}>{children}</VaultsContext>
}
