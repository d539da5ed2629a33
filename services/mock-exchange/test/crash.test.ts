import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
let dataDir: string
let child: ChildProcess | undefined
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bourse-crash-'))
})
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) await end('SIGKILL')
  await rm(dataDir, { recursive: true })
})

/** Starts the exchange as a process of its own; resolves with its URL once it listens. */
const start = async (): Promise<string> => {
  const env = { ...process.env, BOURSE_DATA_DIR: dataDir, BOURSE_MOCK_EXCHANGE_PORT: '0' }
  const started = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  child = started
  for await (const line of createInterface({ input: started.stdout })) {
    return (JSON.parse(line) as { url: string }).url
  }
  throw new Error('the exchange ended before it listened')
}

/** Ends the process; resolves with its exit code, null when a signal killed it. */
const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown> => {
  const exited = once(child as ChildProcess, 'exit')
  child?.kill(signal)
  return (await exited)[0] as unknown
}

const post = async (url: string, clientOrderId: string): Promise<unknown> => {
  const body = JSON.stringify({ symbol: 'AZNUSDT', side: 'BUY', quantity: '1.00', type: 'MARKET', clientOrderId })
  return (await fetch(`${url}/order`, { method: 'POST', body })).json()
}
const get = async (url: string, path: string): Promise<unknown> => (await fetch(url + path)).json()

/** Three starts and up to 900 calls, each on disk before it is answered. */
const LIMIT_MS = 300_000

test(
  'a kill -9 amid orders loses none that was answered and repeats none; SIGTERM exits 0',
  async () => {
    const answered = new Map<string, unknown>()
    for (let round = 0; round < 2; round += 1) {
      const url = await start()
      const sending = Array.from({ length: 200 }, async (_, index) => {
        const id = `tx_${round}_${index}`
        answered.set(id, await post(url, id))
      })
      const settled = Promise.allSettled(sending)
      while (answered.size < 40 * (round + 1)) await wait(1)
      await end('SIGKILL')
      await settled
    }
    const url = await start()
    for (const [id, answer] of answered) {
      expect(await get(url, `/order?clientOrderId=${id}`)).toEqual(answer)
      expect(await post(url, id)).toEqual(answer)
    }
    const orders = (await get(url, '/control/orders')) as { clientOrderId: string }[]
    expect(new Set(orders.map((order) => order.clientOrderId)).size).toBe(orders.length)
    const log = (await get(url, '/control/log?after=0')) as { method: string; body: { clientOrderId: string } }[]
    const logged = new Set(log.filter((entry) => entry.method === 'POST').map((entry) => entry.body.clientOrderId))
    expect([...answered.keys()].filter((id) => !logged.has(id))).toEqual([])
    expect(await end('SIGTERM')).toBe(0)
  },
  LIMIT_MS,
)
