import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { KubeConfig } from '@kubernetes/client-node'
import type { FakeCluster } from './fake-cluster.ts'

/** A fake cluster on loopback. */
export interface FakeHttpServer {
  readonly url: string
  /** For the real client; with a token that the server insists on. */
  readonly kubeConfig: KubeConfig
  /** TCP connections accepted so far. */
  connections(): number
  close(): Promise<void>
}

/** The token of the fake server's one user. */
export const FAKE_TOKEN = 'fake-token-that-no-error-shows'

const serve = async (cluster: FakeCluster, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client went away')))
  const { method = 'GET', url: path = '/', headers } = request
  const body = await text(request)
  if (headers.authorization !== `Bearer ${FAKE_TOKEN}`) return void response.writeHead(401).end('{}')
  const contentType = headers['content-type']
  const answer = await cluster.answer({
    method,
    path,
    signal: gone.signal,
    ...(body === '' ? {} : { body }),
    ...(contentType === undefined ? {} : { contentType }),
  })
  const retryAfter = answer.retryAfter === null ? {} : { 'retry-after': answer.retryAfter }
  response.writeHead(answer.status, { 'content-type': 'application/json', ...retryAfter })
  response.flushHeaders()
  for await (const part of answer.body) response.write(part)
  response.end()
}

/** Serves a fake cluster over real HTTP: broken answers break the connection. */
export const listenFakeCluster = async (cluster: FakeCluster): Promise<FakeHttpServer> => {
  let connections = 0
  const server = createServer((request, response) => {
    serve(cluster, request, response).catch(() => response.destroy())
  })
  server.on('connection', () => (connections += 1))
  // Nor does it end an idle one after five seconds, as long as a busy machine may stand still between two requests.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kubeConfig = new KubeConfig()
  // The library refuses plain HTTP unless told that nobody expects TLS.
  kubeConfig.loadFromClusterAndUser(
    { name: 'fake', server: url, skipTLSVerify: true },
    { name: 'fake', token: FAKE_TOKEN },
  )
  return {
    url,
    kubeConfig,
    connections: () => connections,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
