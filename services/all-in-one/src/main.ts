/**
 * `npm start`: the whole platform in one process on embedded adapters. Prints where everything is, then `ready in N
 * ms`.
 * SIGTERM and SIGINT stop intake, flush, snapshot and exit 0.
 */
import { partitionName } from '@bourse/common/kernel/partition.ts'
import { runProgram } from '@bourse/common/process/run.ts'
import { bannerOf } from './banner.ts'
import { startPlatform } from './platform/platform.ts'

await runProgram({
  program: 'platform',
  name: 'bourse',
  title: 'The platform',
  start: async ({ lifetime, ...context }) => {
    const platform = await startPlatform(context)
    lifetime.onStop(platform.stop)
    const doubts = platform.recovery.flatMap((report) =>
      report.doubted.map(
        (doubt) =>
          `a snapshot was passed over: partition ${partitionName(report.partition)} at ${doubt.sequence}: ${doubt.reason}`,
      ),
    )
    return {
      banner: bannerOf(context.config, platform, [...platform.findings, ...doubts]),
      url: platform.gatewayUrl,
      ...(platform.telemetryUrl === null ? {} : { telemetryUrl: platform.telemetryUrl }),
    }
  },
})
