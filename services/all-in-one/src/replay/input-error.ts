/** What the caller gave cannot be used: the message names the file (and line) or option, and the remedy. */
export class ReplayInputError extends Error {
  override readonly name = 'ReplayInputError'
}

/** Errors are known by their fields, so that they are told apart in any realm. */
const fieldOf = (error: unknown, name: 'code' | 'message'): string | null => {
  const value =
    typeof error === 'object' && error !== null ? (error as Readonly<Record<string, unknown>>)[name] : undefined
  return typeof value === 'string' ? value : null
}

const messageOf = (error: unknown): string => fieldOf(error, 'message') ?? String(error)

/** Whether it is an error of the operating system: ENOENT, EACCES, EISDIR, … */
const isSystemError = (error: unknown): boolean => /^E[A-Z0-9]+$/.test(fieldOf(error, 'code') ?? '')

/**
 * What to throw for a failure while `file` was read or written: a failure of the operating system or of one
 * of the given kinds is the caller's to mend and names the file; anything else is a bug and stays as it is.
 */
export const faultOfFile = (
  file: string,
  error: unknown,
  isKnown: (error: unknown) => boolean = () => false,
): unknown =>
  isKnown(error) || isSystemError(error)
    ? new ReplayInputError(`${file}: ${messageOf(error)}`, { cause: error })
    : error
