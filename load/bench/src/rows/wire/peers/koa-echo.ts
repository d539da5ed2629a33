/** Peer: koa with koa-body that parses the JSON body and answers it. Says `ready` and its port. */
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { koaBody } from 'koa-body'

const app = new Koa()
app.use(koaBody())
app.use((context) => {
  context.body = context.request.body
})
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready on ${(server.address() as AddressInfo).port}\n`)
})
process.on('SIGTERM', () => {
  process.exit(0)
})
