import { describe, expect, test } from '@jest/globals'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'

describe('the logger', () => {
  test('writes JSON lines and never a secret, wherever it stands', () => {
    const lines: string[] = []
    const logger = createLogger({
      name: 'test',
      level: 'info',
      destination: {
        write: (line) => {
          lines.push(line)
        },
      },
    })
    const secrets = { password: 'hunter2', authorization: 'hunter2', 'x-api-key': 'hunter2', 'set-cookie': 'hunter2' }
    logger.info({ ...secrets, config: secrets, request: { headers: secrets }, bank: 'demo' }, 'a call')
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('hunter2')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      bank: 'demo',
      msg: 'a call',
      name: 'test',
      password: '[redacted]',
    })
  })
})

describe('metrics', () => {
  test('are exposed with those of the process, each registry for itself', async () => {
    const metrics = createMetrics()
    metrics.counter('bourse_test_total', 'A test', ['kind']).inc({ kind: 'a' })
    metrics.histogram('bourse_test_seconds', 'A test', []).observe(0.02)
    const { text, contentType } = await metrics.expose()
    expect(contentType).toContain('text/plain')
    expect(text).toContain('bourse_test_total{kind="a"} 1')
    expect(text).toContain('bourse_test_seconds_bucket{le="0.025"} 1')
    expect(text).toContain('process_resident_memory_bytes')
    expect((await createMetrics().expose()).text).not.toContain('bourse_test_total')
  })
})
