/**
 * `npm run trace`: starts the platform of many processes on RabbitMQ with a collector beside it, lets the demo bank buy for a
 * customer once, and prints the buy's trace as a tree with durations.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderTrace } from '@bourse/common/testkit/trace-tree.ts'
import { startTracedPlatform, tracedPlatformMissing, type TracedPlatform } from '../servers/traced-platform.ts'

/** Buys before the one that is shown: the first ones find caches and code cold. */
const WARM_UP_BUYS = 50

const BUY = { path: '/api/v1/trade/buy', body: { bankUserId: 'user_123', amount: '10.00', currency: 'AZN' } } as const
const DEPOSIT = {
  path: '/api/v1/deposits',
  body: { bankUserId: 'user_123', amount: '5000.00', currency: 'AZN', reference: 'first' },
} as const

const done = async (platform: TracedPlatform, { path, body }: typeof BUY | typeof DEPOSIT): Promise<string> => {
  const { status, text, traceId } = await platform.bankCall(path, body)
  if (status !== 201) throw new Error(`${path} answered ${status}: ${text}`)
  return traceId
}

const show = async (folder: string): Promise<void> => {
  const platform = await startTracedPlatform({ folder, ratio: 0 })
  try {
    await done(platform, DEPOSIT)
    for (let count = 0; count < WARM_UP_BUYS; count++) await done(platform, BUY)
    const traceId = await done(platform, BUY)
    const spans = await platform.traceOf(traceId)
    const programs = new Set(spans.map(({ service }) => service))
    process.stdout.write(renderTrace(spans))
    process.stdout.write(`trace ${traceId}: ${spans.length} spans of ${[...programs].sort().join(', ')}\n`)
  } finally {
    await platform.stop()
  }
}

const missing = tracedPlatformMissing()
if (missing !== undefined) {
  process.stderr.write(`trace: ${missing}\n`)
  process.exitCode = 2
} else {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-trace-'))
  try {
    await show(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
