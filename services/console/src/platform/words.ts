import { refusalWords, type RefusalWords } from '../format/refusals.ts'
import { refusalOf } from '../session/queries.ts'

const REMEDIES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Open the page with the platform’s administration token (the banner of the start names its file).',
  UNREACHABLE:
    'Nothing here changes anything, so asking again is safe; it is done by itself as long as the page is open.',
  UNREADABLE: 'Try again in a moment; if it stays, check the network or proxy you are on.',
}

/** What a call threw, as an operator is told. */
export const explain = (
  error: unknown,
): { readonly words: RefusalWords; readonly code: string; readonly requestId: string | null } => {
  const { code, message, retryAfterSeconds, requestId } = refusalOf(error)
  const words = refusalWords(code, { message, retryAfterSeconds })
  const title = code === 'UNAUTHENTICATED' ? 'Token not accepted' : words.title
  return { words: { ...words, title, remedy: REMEDIES[code] ?? words.remedy }, code, requestId }
}
