/** What time, chance and the network are to this client; a test gives its own. */

/** Runs `task` once after `delayMs`; the answer takes it back. */
export type Schedule = (delayMs: number, task: () => void) => () => void

/** `Schedule` by the timers of the environment. */
export const scheduleByTimer: Schedule = (delayMs, task) => {
  const timer = setTimeout(task, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

/**
 * A random UUID (version 4). Made of `getRandomValues`, because `randomUUID` exists in secure contexts only and a page on a
 * local network is none.
 */
export const randomKey = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const text = Array.from(bytes, hex).join('')
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
}

/** Runs `task` whenever the browser says that there is a network again; where nothing says so it never does. */
export const onNetwork = (task: () => void): (() => void) => {
  const target = globalThis as unknown as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>
  target.addEventListener?.('online', task)
  return () => {
    target.removeEventListener?.('online', task)
  }
}
