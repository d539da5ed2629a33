/** The other tabs of this browser: they share the cookie of the session, so that one who signs in or out does it for all. */
export interface OtherTabs {
  /** Somebody signed in or out here. */
  tell(): void
  /** Runs `task` when that happened elsewhere, and when this tab is looked at again; the answer takes it back. */
  onTold(task: () => void): () => void
}

const NAME = 'bourse.session'

/** The browser's channel between tabs; the message says that something changed, never who or what. */
export const createBrowserTabs = (): OtherTabs => {
  const channel = new BroadcastChannel(NAME)
  return {
    tell: () => channel.postMessage(null),
    onTold: (task) => {
      const looked = (): void => {
        if (document.visibilityState === 'visible') task()
      }
      const told = (): void => task()
      channel.addEventListener('message', told)
      document.addEventListener('visibilitychange', looked)
      return () => {
        channel.close()
        document.removeEventListener('visibilitychange', looked)
      }
    },
  }
}
