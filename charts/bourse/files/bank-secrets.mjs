// Beside the simulated bank: tells it the webhook secrets of the mounted folder, all banks' together, whenever they differ from
// what was told last or the bank has forgotten them (it never writes them down). Answers 200 on its own port.
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const FOLDER = '/etc/bourse/webhooks'
const BANK = 'http://127.0.0.1:3002/control'
const INTERVAL_MS = 1_000

const read = async () => {
  const names = (await readdir(FOLDER).catch(() => [])).filter((name) => !name.startsWith('.'))
  const texts = await Promise.all(names.map((name) => readFile(`${FOLDER}/${name}`, 'utf8')))
  return texts.flatMap((text) => text.split('\n')).filter((line) => line !== '')
}

const tell = async (secrets, told) => {
  const { webhookSecrets } = await (await fetch(BANK)).json()
  if (secrets.join() === told && webhookSecrets === secrets.length) return told
  const body = JSON.stringify({ webhookSecrets: secrets })
  const response = await fetch(BANK, { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  if (!response.ok) throw new Error(`the bank answers ${response.status}`)
  process.stdout.write(`${secrets.length} webhook secrets told\n`)
  return secrets.join()
}

process.on('SIGTERM', () => process.exit(0))
createServer((_, response) => response.end()).listen(3_003)
let told = ''
for (;;) {
  try {
    const secrets = await read()
    if (secrets.length > 0) told = await tell(secrets, told)
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
  }
  await sleep(INTERVAL_MS)
}
