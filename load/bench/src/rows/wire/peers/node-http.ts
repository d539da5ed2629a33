/** Peer: a bare `http.createServer` that reads the body and answers fixed bytes (`PEER_BODY`). Says `ready` and its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const body = Buffer.from(process.env['PEER_BODY'] ?? '{}')
const server = createServer({ noDelay: true }, (request, response) => {
  request.on('data', () => undefined)
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready on ${(server.address() as AddressInfo).port}\n`)
})
process.on('SIGTERM', () => {
  process.exit(0)
})
