// helm test: the gateway takes commands, every partition of the books is served, and a trader can sign up and ask for a balance.
import { readFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const { GATEWAY } = process.env
const WAIT_MS = 240_000

const ask = async (path, { headers = {}, body } = {}) => {
  const response = await fetch(`${GATEWAY}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path} is answered ${response.status}: ${text.slice(0, 500)}`)
  return { body: JSON.parse(text), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

const insist = async (what, attempt) => {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > WAIT_MS) throw new Error(`${what}: ${error.message}`, { cause: error })
      await sleep(1_000)
    }
  }
}

await insist('the gateway is not ready', () => ask('/readyz'))
process.stdout.write('the gateway takes commands\n')

const token = (await readFile('/etc/bourse/secrets/admin-token', 'utf8')).trim()
const served = await insist('not every partition is served', async () => {
  const { body } = await ask('/api/v1/admin/partitions', { headers: { authorization: `Bearer ${token}` } })
  const partitions = body.data.partitions ?? body.data
  // Who serves a partition says so once a second; on slow servers that may be late.
  const idle = partitions.filter(({ state }) => state !== 'serving')
  if (idle.length > 0) throw new Error(JSON.stringify(idle))
  return partitions.length
})
process.stdout.write(`${served} partitions are served\n`)

// Another name each time: a sign-up whose answer was lost has taken its own.
const signUp = () => ({ email: `helm-test-${randomUUID()}@bourse.invalid`, password: randomUUID() })
const { cookie } = await insist('nobody can sign up', () => ask('/api/v1/auth/signup', { body: signUp() }))
for (const [command, key] of [
  ['CREATE_ACCOUNT', { 'x-idempotency-key': randomUUID() }],
  ['GET_BALANCE', {}],
]) {
  const answer = await insist(`${command} is not answered`, () =>
    ask('/api/v1/engine', { headers: { cookie, ...key }, body: { command } }),
  )
  process.stdout.write(`${command}: ${answer.body.engineResponse.status}\n`)
}
