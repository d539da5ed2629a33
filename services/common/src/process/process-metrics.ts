import { readFileSync } from 'node:fs'
import type { LogLevel } from '../telemetry/log-levels.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'

/** Version of this release, as the package says it. */
const releaseVersion = (): string => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}

/** The registry of a process, with what it is and how many lines it has logged. */
export const createProcessMetrics = (
  program: string,
): { readonly metrics: Metrics; readonly onLine: (level: LogLevel) => void } => {
  const metrics = createMetrics()
  metrics.gauge('bourse_build_info').set({ program, version: releaseVersion(), node: process.versions.node }, 1)
  const lines = metrics.counter('bourse_log_lines_total')
  // A level without a line is a 0 and no gap: what rises from nothing is seen by nobody who asks for an increase.
  for (const level of ['fatal', 'error', 'warn', 'info'] as const) lines.inc({ level }, 0)
  return { metrics, onLine: (level) => lines.inc({ level }) }
}
