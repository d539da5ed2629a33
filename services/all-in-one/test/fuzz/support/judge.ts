import { ADMIN_TOKEN, API_KEY } from '../../support/bourse.ts'
import type { ApiDocument, Operation, Schema } from './document.ts'
import type { Sent } from './inputs.ts'
import type { Received } from './wire.ts'

/** What no answer may ever show: places in the code, the store's words, secrets, hashes of passwords. */
const INSIDE =
  /node_modules|\.ts:\d|\bat (?:async )?\w+[ (]\/|at Object\.|SQLITE|TypeError|RangeError|\$scrypt|ECONN|undefined is not/
const SECRETS = [ADMIN_TOKEN, API_KEY]
/** Headers every answer has, and ones that would tell who answers. */
const REQUIRED_HEADERS = { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' }
const TELLING_HEADERS = ['server', 'x-powered-by', 'via', 'x-aspnet-version', 'x-response-time']

const parsed = (text: string): { readonly value: unknown } | null => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    // The caller judges whether JSON was promised.
    return null
  }
}

/** The refusal's code of an answer, or null. */
export const refusalCodeOf = ({ text }: Received): string | null => {
  const value = parsed(text)?.value
  const code = (value as { readonly errorCode?: unknown } | null | undefined)?.errorCode
  return typeof code === 'string' ? code : null
}

const headerFaults = ({ headers, text }: Received): string[] => {
  const faults = Object.entries(REQUIRED_HEADERS)
    .filter(([name, value]) => String(headers[name]).toLowerCase() !== value.toLowerCase())
    .map(([name]) => `the header ${name} is ${String(headers[name])}`)
  for (const name of TELLING_HEADERS)
    if (headers[name] !== undefined) faults.push(`the header ${name} tells who answers`)
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(String(headers['x-request-id']))) faults.push('there is no proper x-request-id')
  const all = `${JSON.stringify(headers)}${text}`
  for (const secret of SECRETS) if (all.includes(secret)) faults.push('a secret is shown')
  return faults
}

const bodyFault = (
  document: ApiDocument,
  answers: Readonly<Record<string, Schema>>,
  received: Received,
): string | null => {
  const type = String(received.headers['content-type'] ?? '').split(';')[0]!
  const schema = answers[type]
  if (schema === undefined) return `content type '${type}' is not documented`
  if (type !== 'application/json') return null
  const value = parsed(received.text)
  return value === null ? 'the body is not the JSON it is said to be' : document.faultOf(schema, value.value)
}

const fitsOperation = (document: ApiDocument, operation: Operation, sent: Sent, received: Received): string | null => {
  const answers = operation.answers[String(received.status)]
  if (answers === undefined) return `${operation.id}: status ${received.status} is not documented`
  if (sent.method === 'HEAD') return received.text === '' ? null : 'an answer to HEAD has a body'
  const fault = bodyFault(document, answers, received)
  return fault === null ? null : `${operation.id} ${received.status}: ${fault}`
}

/** The refusal of a path or method that no operation has: the ordinary envelope, of the codes such a refusal has. */
const isUnmatched = (sent: Sent, received: Received): boolean => {
  if (sent.method === 'HEAD') return received.status === 404 || received.status === 405
  const code = refusalCodeOf(received)
  return (
    (received.status === 404 && code === 'NOT_FOUND') ||
    (received.status === 405 && code === 'METHOD_NOT_ALLOWED') ||
    (received.status === 400 && code === 'VALIDATION_ERROR')
  )
}

/** Everything that is wrong with an answer by the document; empty when all is well. */
export const faultsOf = (document: ApiDocument, sent: Sent, received: Received): string[] => {
  const faults = headerFaults(received)
  const path = sent.target.split('?')[0] ?? ''
  const isPage = path.startsWith('/docs') || path === '/openapi.json'
  if (!isPage && INSIDE.test(received.text)) faults.push('the answer shows the inside')
  if (received.status >= 500 && received.status !== 503 && received.status !== 502)
    faults.push(`status ${received.status}`)
  const candidates = document.operationsAt(path)
  const named = candidates.filter(
    ({ method }) => method === sent.method || (sent.method === 'HEAD' && method === 'GET'),
  )
  if (named.length === 0) {
    if (!isUnmatched(sent, received)) faults.push(`status ${received.status} where no operation is`)
    return faults
  }
  const judged = named.map((operation) => fitsOperation(document, operation, sent, received))
  // A parameter that stretches the path can make it another's, or nobody's.
  const isOdd = /%|\.\.|\/\//.test(path) && isUnmatched(sent, received)
  if (judged.every((fault) => fault !== null) && !isOdd) faults.push(...judged.filter((fault) => fault !== null))
  return faults
}
