import { createLogger } from '@bourse/common/telemetry/logger.ts'
import type { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import type { AppliedObject } from '../../src/runtime/types.ts'

export const silent = createLogger({ name: 'test', level: 'silent' })

/** A ConfigMap to write. */
export const mapNamed = (name: string, value = 'a', labels: Record<string, string> = {}): AppliedObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data: { value },
})

/** The value of one series, 0 when it was never written. */
export const valueOf = async (metrics: ReturnType<typeof createMetrics>, series: string): Promise<number> => {
  const { text } = await metrics.expose()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? 0 : Number(line.slice(series.length + 1))
}

/** Asks again and again, in real time, until it is so; rejects after a minute. */
export const eventually = async (isSo: () => boolean, what: string): Promise<void> => {
  const endMs = performance.now() + 60_000
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
