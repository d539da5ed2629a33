/** What the API asks of an e-mail and a password, said before anything is sent. */

const PASSWORD_BYTES_MIN = 8
const PASSWORD_BYTES_MAX = 128
/** As the server reads it: one at, something before it, a dotted name behind it. */
const EMAIL = /^[^\s@\p{Cc}]{1,64}@(?=.{1,253}$)[^\s@.\p{Cc}]+(?:\.[^\s@.\p{Cc}]+)+$/u

/** The rules of a password in words. */
export const PASSWORD_RULES =
  'At least 8 and at most 128 bytes: 8 letters or digits are enough; a letter with an accent counts as two, an emoji as four.'

/** What is wrong with an e-mail, or null. */
export const emailFault = (text: string): string | null => {
  if (text.trim() === '') return 'Enter your e-mail.'
  return EMAIL.test(text.normalize('NFKC').trim()) ? null : 'This is not an address such as name@example.com.'
}

/** What is wrong with a new password, or null. Length is counted as the server does: NFKC, UTF-8 bytes. */
export const newPasswordFault = (text: string): string | null => {
  const bytes = new TextEncoder().encode(text.normalize('NFKC')).byteLength
  if (bytes === 0) return 'Choose a password.'
  if (bytes < PASSWORD_BYTES_MIN) return `Too short: ${bytes} of at least ${PASSWORD_BYTES_MIN} bytes.`
  return bytes > PASSWORD_BYTES_MAX ? `Too long: ${bytes} of at most ${PASSWORD_BYTES_MAX} bytes.` : null
}

/** What is wrong with a password given to sign in, or null: an old one may have had other rules. */
export const passwordFault = (text: string): string | null => (text === '' ? 'Enter your password.' : null)
