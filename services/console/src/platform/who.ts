/** Longest name of who administrates. */
export const NAME_LENGTH_MAX = 64

/** What is wrong with the name that the audit is to keep, in words; null when nothing is. Empty is "admin". */
export const nameFault = (text: string): string | null => {
  const plain = text.trim()
  if (plain.length > NAME_LENGTH_MAX) return `A name has at most ${NAME_LENGTH_MAX} characters.`
  // A header carries printable ASCII only.
  return /^[\x20-\x7e]*$/.test(plain)
    ? null
    : 'Use letters without accents, digits and signs: the name goes into a header.'
}

/** Whether a record of the audit only says that something was looked at. */
export const isReading = (action: string): boolean => action.startsWith('read-')
