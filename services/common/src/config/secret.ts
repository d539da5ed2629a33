import { inspect } from 'node:util'

/**
 * A value that shows itself only to who asks by name: printed, logged, put into JSON or a template it is
 * `[secret]`.
 */
export interface Secret {
  reveal(): string
  toJSON(): string
  toString(): string
}

const SHOWN = '[secret]'

/** Wraps a text so that it cannot be printed by accident. */
export const createSecret = (text: string): Secret => {
  const shown = (): string => SHOWN
  return Object.freeze({ reveal: () => text, toJSON: shown, toString: shown, [inspect.custom]: shown })
}
