import { refuse, ok, type Result } from '@bourse/common/errors/codes.ts'

/** How long a simulator may take to answer, ms. */
export const SIMULATOR_TIMEOUT_MS = 20_000
/** Bytes of an answer at most; a longer one is refused. */
export const SIMULATOR_ANSWER_BYTES_MAX = 2_097_152

/** The control interface of a simulator. */
export interface SimulatorControl {
  /** What is in force. */
  read(): Promise<Result<Readonly<Record<string, unknown>>>>
  /** Changes what the fields name, all or nothing; answers what is in force then. */
  change(fields: unknown): Promise<Result<Readonly<Record<string, unknown>>>>
  /** Calls received after `after`, oldest first, at most `limit`. */
  log(after: number, limit: number): Promise<Result<readonly unknown[]>>
}

/** The text of an answer, or null when it has more bytes than it may. */
const boundedText = async (response: Response): Promise<string | null> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (response.body === null) return ''
  for await (const chunk of response.body) {
    bytes += chunk.length
    // Leaving the loop cuts the connection: what is still to come is not read.
    if (bytes > SIMULATOR_ANSWER_BYTES_MAX) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Speaks to a simulator at `url`. `name` is how refusals call it: `the simulated exchange`. */
export const createSimulatorControl = (name: string, url: string): SimulatorControl => {
  const unavailable = (why: string): Result<never> => refuse('UNAVAILABLE', `${name} ${why}; try again`, 1)

  const call = async (path: string, change?: unknown): Promise<Result<unknown>> => {
    const body =
      change === undefined ? {} : { body: JSON.stringify(change), headers: { 'content-type': 'application/json' } }
    try {
      const response = await fetch(`${url}${path}`, {
        method: change === undefined ? 'GET' : 'PUT',
        ...body,
        redirect: 'error',
        signal: AbortSignal.timeout(SIMULATOR_TIMEOUT_MS),
      })
      const text = await boundedText(response)
      if (text === null) return refuse('VALIDATION_ERROR', `${name} has more to tell than is passed on; ask for fewer`)
      const answered = jsonOf(text)
      if (response.status === 200) return answered === null ? unavailable('answered what is no JSON') : ok(answered)
      const message = (answered as { readonly message?: unknown } | null)?.message
      return response.status === 400
        ? refuse('VALIDATION_ERROR', `${name} refuses it: ${String(message)}`)
        : unavailable(`answered ${response.status}`)
    } catch {
      // Not there, too slow, or gone in the middle: for the caller it is all the same.
      return unavailable('does not answer')
    }
  }
  type Fields = Readonly<Record<string, unknown>>
  return {
    read: async () => (await call('/control')) as Result<Fields>,
    change: async (fields) => (await call('/control', fields)) as Result<Fields>,
    log: async (after, limit) =>
      (await call(`/control/log?after=${after}&limit=${limit}`)) as Result<readonly unknown[]>,
  }
}
