import { describe, expect, test } from '@jest/globals'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'

describe('metrics', () => {
  test('are exposed with those of the process, each registry for itself', async () => {
    const metrics = createMetrics()
    metrics.counter('bourse_log_lines_total').inc({ level: 'warn' })
    metrics.histogram('bourse_order_duration_seconds').observe({ operation: 'open' }, 0.02)
    const { text, contentType } = await metrics.expose()
    expect(contentType).toContain('text/plain')
    expect(text).toContain('bourse_log_lines_total{level="warn"} 1')
    expect(text).toContain('bourse_order_duration_seconds_bucket{le="0.025",operation="open"} 1')
    expect(text).toContain('process_resident_memory_bytes')
    expect((await createMetrics().expose()).text).not.toContain('bourse_log_lines_total{')
  })
})
