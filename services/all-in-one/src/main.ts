/**
 * `npm start`: the whole platform in one process on embedded adapters. Prints where everything is, then `ready in N
 * ms`.
 * SIGTERM and SIGINT stop intake, flush, snapshot and exit 0.
 */
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { readConfig } from '@bourse/common/config/read.ts'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { startPlatform, StartRefused, type Platform } from './platform/platform.ts'

/** A stop that takes longer is ended hard; everything acknowledged is journaled anyway. */
const STOP_DEADLINE_MS = 30_000

const fail = (lines: readonly string[]): never => {
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exit(1)
}

const read = readConfig(process.env)
if ('faults' in read) fail(['The configuration can not be used:', ...read.faults.map((fault) => `  ${fault}`)])
const { config } = read as Extract<typeof read, { config: unknown }>
const clock = createSystemClock()
const logger = createLogger({ name: 'bourse', level: config.logLevel })

const banner = (platform: Platform): string[] => [
  `Bourse (${config.profile})`,
  `  platform        ${platform.gatewayUrl}`,
  `  API reference   ${platform.gatewayUrl}/docs`,
  `  exchange        ${platform.exchangeUrl}`,
  ...(platform.bankUrl === null ? [] : [`  demo bank       ${platform.bankUrl}`]),
  `  data            ${config.dataDir}`,
  ...(platform.adminTokenFile === null ? [] : [`  admin token in  ${platform.adminTokenFile}`]),
  ...platform.madeKeys.map(({ bank, apiKey }) => `  API key of bank ${bank} (shown once): ${apiKey}`),
  ...platform.findings.map((finding) => `  ${finding}`),
  ...platform.recovery.flatMap((report) =>
    report.doubted.map(
      (doubt) =>
        `  a snapshot was passed over: partition ${partitionName(report.partition)} at ${doubt.sequence}: ${doubt.reason}`,
    ),
  ),
]

const start = async (): Promise<Platform> => {
  try {
    return await startPlatform(config, logger, clock)
  } catch (error) {
    if (error instanceof StartRefused)
      return fail(['The platform can not start:', ...error.faults.map((fault) => `  ${fault}`)])
    logger.fatal({ err: error }, 'the platform can not start')
    return fail([`The platform can not start: ${error instanceof Error ? error.message : String(error)}`])
  }
}

const platform = await start()
for (const line of banner(platform)) process.stdout.write(`${line}\n`)
process.stdout.write(`ready in ${Math.round(process.uptime() * 1_000)} ms\n`)

let stopping = false
const stop = async (): Promise<void> => {
  if (stopping) return
  stopping = true
  const deadline = setTimeout(() => fail([`not stopped within ${STOP_DEADLINE_MS} ms`]), STOP_DEADLINE_MS)
  await platform.stop()
  clearTimeout(deadline)
  process.exit(0)
}
const onSignal = (): void => {
  stop().catch((error: unknown) => fail([`the stop failed: ${error instanceof Error ? error.message : String(error)}`]))
}
process.on('SIGTERM', onSignal)
process.on('SIGINT', onSignal)
