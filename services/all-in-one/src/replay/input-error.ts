/** What the caller gave cannot be used: the message names the file (and line) or option, and the remedy. */
export class ReplayInputError extends Error {
  override readonly name = 'ReplayInputError'
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Whether it is an error of the operating system (ENOENT, EACCES, EISDIR, …), known by its field in any realm. */
const isSystemError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && typeof (error as { readonly code?: unknown }).code === 'string'

/**
 * What to throw for a failure while `file` was read or written: a failure of the operating system or of one of the given kinds is the
 * caller's to mend and names the file; anything else is a bug and stays as it is.
 */
export const faultOfFile = (file: string, error: unknown, isKnown: (error: unknown) => boolean = () => false): unknown =>
  isKnown(error) || isSystemError(error) ? new ReplayInputError(`${file}: ${messageOf(error)}`, { cause: error }) : error
