import { Agent, request } from 'node:http'
import type { Sent } from './inputs.ts'

/** An answer as it came over the wire. */
export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** Longer than the platform waits for anything, and the machine may stand still. */
const ANSWER_MS_MAX = 60_000

/** Sends requests as they are: no normalising of paths or headers. A request without an answer rejects. */
export const createWire = (url: string) => {
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const send = ({ method, target, headers, body }: Sent): Promise<Received> =>
    new Promise((resolve, reject) => {
      const length = body === null ? {} : { 'content-length': String(body.length) }
      const sending = request(
        { hostname, port, method, path: target, headers: { ...headers, ...length }, agent, timeout: ANSWER_MS_MAX },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (part: string) => (text += part))
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        },
      )
      sending.on('timeout', () => sending.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)))
      sending.on('error', reject)
      sending.end(body ?? undefined)
    })
  return { send, stop: () => agent.destroy() }
}
