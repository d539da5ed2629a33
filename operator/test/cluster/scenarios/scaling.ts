import { pause } from '../../../../services/all-in-one/test/support/calls.ts'
import { untilCondition, type Described } from '../support/installation.ts'
import { serveMetrics } from '../support/metrics-server.ts'
import { startProbe, type Pauses } from '../support/probe.ts'
import { untilSpread } from '../support/shards.ts'
import { scenario, type OpenStage } from '../support/stage.ts'
import { until } from '../support/wait.ts'

const GROUP = 'pair-btc-usdc'
const PARTITIONS = 4

const told = (what: string, { byPartition, p50Ms, maxMs }: Pauses): string =>
  `${what} pauses p50 ${p50Ms} ms max ${maxMs} ms (${byPartition.join(' ')})`

/** Shards of a pair come and go, by hand and by an autoscaler. */
export const declareScaling = (stage: OpenStage): void => {
  scenario(stage, 'kubectl scale tp/btc-usdc 1 to 4 to 2', async () => {
    const { cluster, installation } = stage.now
    const scale = async (shards: number) => {
      await cluster.kubectl('scale', 'tp/btc-usdc', `--replicas=${shards}`)
      const beganMs = performance.now()
      await untilSpread(cluster, installation, GROUP, { shards, partitions: PARTITIONS })
      await untilCondition(cluster, 'tp', 'btc-usdc', 'Ready', 'True')
      return `${((performance.now() - beganMs) / 1_000).toFixed(1)} s`
    }
    const served = await untilSpread(cluster, installation, GROUP, { shards: 1, partitions: PARTITIONS })
    const probe = await startProbe(
      installation.backing.rabbitmqUrl,
      served.map(({ number }) => number),
    )
    try {
      await pause(3_000)
      const still = probe.pauses()
      const up = await scale(4)
      const upPauses = probe.pauses()
      const down = await scale(2)
      const downPauses = probe.pauses()
      return [
        `probes per partition through RabbitMQ, at rest ${still.maxMs} ms`,
        told(`1 to 4 in ${up}`, upPauses),
        told(`4 to 2 in ${down}`, downPauses),
      ].join('; ')
    } finally {
      await probe.close()
    }
  })

  scenario(stage, 'autoscaler on the pair, by a metric of an APIService', async () => {
    const { cluster, installation } = stage.now
    const metrics = await serveMetrics(cluster)
    await cluster.apply({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'btc-usdc' },
      spec: {
        scaleTargetRef: { apiVersion: 'bourse.dev/v1alpha1', kind: 'TradingPair', name: 'btc-usdc' },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          {
            type: 'External',
            external: { metric: { name: metrics.name }, target: { type: 'AverageValue', averageValue: '100' } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 0 }, scaleUp: { stabilizationWindowSeconds: 0 } },
      },
    })
    const reach = async (value: number, shards: number): Promise<string> => {
      const beganMs = performance.now()
      await metrics.set(value)
      await until(
        () => cluster.object<Described>('tp', 'btc-usdc'),
        (found) => (found?.spec['engine'] as { readonly shards: number } | undefined)?.shards === shards,
      )
      await untilSpread(cluster, installation, GROUP, { shards, partitions: PARTITIONS })
      return `${value} gives ${shards} shards after ${((performance.now() - beganMs) / 1_000).toFixed(0)} s`
    }
    try {
      const up = await reach(290, 3)
      const down = await reach(150, 2)
      return `${up}, ${down}`
    } finally {
      await cluster.tryKubectl(['delete', 'hpa', 'btc-usdc'])
      await metrics.remove()
    }
  })
}
