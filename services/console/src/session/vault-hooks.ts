import { createContext, useContext, useEffect } from 'react'
import { useStore } from './hooks.ts'
import type { Vault, Vaults, VaultState } from './vault.ts'

/** The tab's vaults; the app makes them and gives them to its pages, so that a page that is left keeps its secret. */
export const VaultsContext = createContext<Vaults | null>(null)

/** One of the tab's vaults. @throws outside the app: that is a bug */
export const useVault = (name: keyof Vaults): Vault => {
  const vaults = useContext(VaultsContext)
  if (vaults === null) throw new Error('no vaults around this page')
  return vaults[name]
}

/** What a vault shows. */
export const useVaultState = (vault: Vault): VaultState => useStore(vault)

/** Touches a vault whenever a person does anything on any page. */
export const useTouch = (vault: Vault): void => {
  useEffect(() => {
    const touch = (): void => {
      vault.touch()
    }
    const signs = ['pointerdown', 'keydown', 'wheel'] as const
    for (const sign of signs) document.addEventListener(sign, touch, { passive: true })
    return () => {
      for (const sign of signs) document.removeEventListener(sign, touch)
    }
  }, [vault])
}
