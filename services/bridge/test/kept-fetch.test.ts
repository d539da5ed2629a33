import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createHttpCaller } from '../src/adapters/http-call.ts'
import { createKeptFetch } from '../src/adapters/kept-fetch.ts'

/** Longer than any machine stands still. */
const PATIENT_MS = 120_000

let server: Server | null = null
let kept = createKeptFetch()
afterEach(async () => {
  kept.close()
  kept = createKeptFetch()
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve))
})

const serve = async (handle: RequestListener): Promise<string> => {
  const made = createServer(handle)
  server = made
  // A kept connection stays, however long the next call is in coming.
  made.keepAliveTimeout = 0
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}
const caller = () => createHttpCaller({ fetch: kept.fetch, clock: createSystemClock() })
const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

describe('calls over kept connections', () => {
  test('bring status and JSON, send body and headers, and share a connection', async () => {
    const ports = new Set<number | undefined>()
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      void textOf(request).then((body) => {
        response.statusCode = 201
        response.end(JSON.stringify({ method: request.method, body, own: request.headers['x-own'] }))
      })
    })
    const call = caller()
    for (const body of ['{"a":"ä"}', '{"b":2}']) {
      expect(await call({ url: `${url}/x?y=1`, body, headers: { 'x-own': 'z' }, timeoutMs: PATIENT_MS })).toEqual({
        kind: 'answer',
        status: 201,
        json: { method: 'POST', body, own: 'z' },
      })
    }
    expect(await call({ url, timeoutMs: PATIENT_MS })).toMatchObject({ json: { method: 'GET', body: '' } })
    expect(ports.size).toBe(1)
  })

  test('do not follow a redirect: it is the answer', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(307, { location: '/elsewhere' }).end('{}')
    })
    expect(await caller()({ url, body: '{}', timeoutMs: PATIENT_MS })).toMatchObject({ kind: 'answer', status: 307 })
  })

  test('that get no answer, half an answer or nobody are lost', async () => {
    const url = await serve((request, response) => {
      if (request.url !== '/half') return
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"half":', () => {
        request.socket.destroy()
      })
    })
    const call = caller()
    expect(await call({ url: `${url}/silence`, timeoutMs: 50 })).toEqual({
      kind: 'lost',
      reason: expect.stringContaining('given up'),
    })
    expect(await call({ url: `${url}/half`, timeoutMs: PATIENT_MS })).toMatchObject({ kind: 'lost' })
    expect(await call({ url: 'http://127.0.0.1:1', timeoutMs: PATIENT_MS })).toMatchObject({ kind: 'lost' })
  })

  test('that are given up by their caller reject, before and while they run', async () => {
    const url = await serve(() => undefined)
    const quit = new AbortController()
    const running = caller()({ url, timeoutMs: PATIENT_MS, signal: quit.signal })
    quit.abort(new Error('stop'))
    await expect(running).rejects.toThrow()
    await expect(caller()({ url, timeoutMs: PATIENT_MS, signal: quit.signal })).rejects.toThrow()
  })
})
