import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'

/** One request to the API server. */
export interface TransportRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: string
  /** Cuts the request and the body of its answer. */
  readonly signal: AbortSignal
}

/** An answer whose body is still coming. Whoever leaves it unread aborts the request's signal. */
export interface TransportResponse {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: AsyncIterable<string>
}

/** Carries requests to the API server. Rejects when no answer came. */
export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>
  close(): void
}

/** A connection that nothing used for this long is closed by us, before a balancer forgets it without a word. */
export const IDLE_CONNECTION_MS_MAX = 30_000

/** TLS options and the Authorization header; asked anew for each request, since in-cluster tokens are replaced. */
const securityOf = async (kubeConfig: KubeConfig): Promise<RequestOptions> => {
  const options: RequestOptions = {}
  await kubeConfig.applyToHTTPSOptions(options)
  // The library's agent is bound to the credentials of its first call; ours pools by the options of each request.
  delete options.agent
  return options
}

const loadDefault = (): KubeConfig => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromDefault()
  return kubeConfig
}

const retryAfterOf = ({ headers }: IncomingMessage): string | null => headers['retry-after'] ?? null

/**
 * A transport over HTTP/1.1 with one kept pool of connections, as the kube config says (default: `KUBECONFIG`,
 * `~/.kube/config` or the service account of the pod).
 */
export const createTransport = (kubeConfig: KubeConfig = loadDefault()): Transport => {
  const cluster = kubeConfig.getCurrentCluster()
  if (cluster === null) throw new Error('the kube config names no cluster')
  if (cluster.proxyUrl !== undefined) throw new Error('a kube config with a proxy is not supported')
  const server = new URL(cluster.server)
  const isSecure = server.protocol === 'https:'
  const agentOptions = { keepAlive: true, timeout: IDLE_CONNECTION_MS_MAX }
  const agent = isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  const prefix = server.pathname.replace(/\/$/u, '')
  return {
    async send({ method, path, contentType, body, signal }) {
      const security = await securityOf(kubeConfig)
      const headers: Record<string, string> = { accept: 'application/json' }
      for (const [name, value] of Object.entries(security.headers ?? {})) headers[name] = String(value)
      if (contentType !== undefined) headers['content-type'] = contentType
      if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body))
      const options = { ...security, agent, method, headers, path: `${prefix}${path}`, signal }
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = (isSecure ? httpsRequest : httpRequest)(server, options, resolve)
        request.on('error', reject)
        request.end(body)
      })
      response.setEncoding('utf8')
      // Whoever reads the body is told by it; one that is cut before anybody reads must not end the process.
      response.on('error', () => undefined)
      return { status: response.statusCode ?? 0, retryAfter: retryAfterOf(response), body: response }
    },
    close: () => agent.destroy(),
  }
}
