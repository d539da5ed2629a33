/** Light, dark, or what the system says. */
export const schemes = ['system', 'light', 'dark'] as const
/** One of them. */
export type Scheme = (typeof schemes)[number]

const KEY = 'bourse.scheme'

const isScheme = (text: string | null): text is Scheme => schemes.some((scheme) => scheme === text)

/** The browser's storage, read when it is used: a browser that keeps nothing for this site throws already at its name. */
export const browserStorage: Pick<Storage, 'getItem' | 'setItem'> = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, value),
}

/** The scheme this browser was told last; `system` when it was told none or keeps nothing. */
export const storedScheme = (storage: Pick<Storage, 'getItem'>): Scheme => {
  try {
    const stored = storage.getItem(KEY)
    return isScheme(stored) ? stored : 'system'
  } catch {
    // A browser that keeps nothing for this site throws: it has the system's scheme then.
    return 'system'
  }
}

/** Shows a scheme now, and keeps it for the next visit where the browser keeps anything. */
export const applyScheme = (scheme: Scheme, root: HTMLElement, storage: Pick<Storage, 'setItem'>): void => {
  if (scheme === 'system') delete root.dataset['scheme']
  else root.dataset['scheme'] = scheme
  try {
    storage.setItem(KEY, scheme)
  } catch {
    // The scheme holds for this visit.
  }
}
