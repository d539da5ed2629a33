import { expect, test } from '@jest/globals'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { RESOURCE_METRICS_INTERVAL_MS, startResourceMetrics } from '../src/resource-metrics.ts'
import type { Condition } from '../src/runtime/types.ts'

const object = (name: string, status?: Condition['status']) => ({
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'Bank',
  metadata: { name, uid: name, resourceVersion: '1' },
  ...(status === undefined
    ? {}
    : { status: { conditions: [{ type: 'Ready', status, reason: 'A', message: '', lastTransitionTime: '' }] } }),
})

test('a resource is ready while its condition says True; unread lists show nothing, and what is deleted disappears', async () => {
  const metrics = createMetrics()
  const clock = createManualClock(0)
  let banks = [object('demo', 'True'), object('other', 'False'), object('paused', 'Unknown'), object('new')]
  let hasSynced = false
  const store = {
    list: () => banks,
    get hasSynced() {
      return hasSynced
    },
  }
  const onError = (error: unknown) => {
    throw error
  }
  const repeating = startResourceMetrics({ resources: [{ kind: 'Bank', store }], metrics, clock, onError })
  const shown = async (): Promise<string[]> => {
    await clock.advance(RESOURCE_METRICS_INTERVAL_MS)
    const { text } = await metrics.expose()
    return text.split('\n').filter((line) => line.startsWith('bourse_operator_resource_ready{'))
  }
  expect(await shown()).toEqual([])
  hasSynced = true
  expect(await shown()).toEqual([
    'bourse_operator_resource_ready{kind="Bank",name="demo"} 1',
    'bourse_operator_resource_ready{kind="Bank",name="other"} 0',
    'bourse_operator_resource_ready{kind="Bank",name="paused"} 0',
    'bourse_operator_resource_ready{kind="Bank",name="new"} 0',
  ])
  banks = [object('demo', 'False')]
  expect(await shown()).toEqual(['bourse_operator_resource_ready{kind="Bank",name="demo"} 0'])
  await repeating.stop()
})
