import { expect, test } from '@jest/globals'
import { untilPods, type Pod } from '../support/cluster.ts'
import { TAGS } from '../support/image.ts'
import { RELEASE } from '../support/installation.ts'
import { say, type OpenStage } from '../support/stage.ts'
import { until } from '../support/wait.ts'

const VERIFY_MS_MAX = 15 * 60_000
const POD = 'verify'

/** What runs `verify` on the database of the installation. */
const podOf = () => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: POD },
  spec: {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    containers: [
      {
        name: POD,
        image: `docker.io/library/bourse:${TAGS.first}`,
        imagePullPolicy: 'IfNotPresent',
        args: ['services/all-in-one/src/commands/verify.ts'],
        env: [
          {
            name: 'BOURSE_MONGODB_URL',
            valueFrom: { secretKeyRef: { name: `${RELEASE}-backing`, key: 'mongodb-url' } },
          },
        ],
      },
    ],
  },
})

/** Stops everything that writes, and replays all journals from genesis inside the cluster. */
export const declareVerify = (stage: OpenStage): void =>
  test(
    'verify inside the cluster finds nothing wrong',
    async () => {
      const { cluster, load } = stage.now
      await load.stop()
      await cluster.kubectl('scale', 'deployment', '--all', '--replicas=0')
      // It would make anew what is removed.
      await untilPods(cluster, 'app.kubernetes.io/component=operator', ({ length }) => length === 0)
      await cluster.kubectl('delete', 'statefulset', '-l', 'bourse.dev/group', '--cascade=orphan')
      // Not by force: then they would be gone from the list before their processes are.
      await cluster.kubectl('delete', 'pods', '-l', 'bourse.dev/group', '--grace-period=1', '--timeout=5m')
      await cluster.apply(podOf())
      const ended = await until(
        () => cluster.object<Pod>('pod', POD),
        (pod) => ['Succeeded', 'Failed'].includes(pod?.status.phase ?? ''),
        VERIFY_MS_MAX,
      )
      const log = await cluster.kubectl('logs', POD)
      const report = JSON.parse(log.trim().split('\n').at(-1) ?? '{}') as {
        readonly ok: boolean
        readonly records: number
        readonly faults: readonly unknown[]
      }
      say(`verify: ${report.records} records, ${report.faults.length} faults`)
      expect({ phase: ended?.status.phase, ok: report.ok, faults: report.faults }).toEqual({
        phase: 'Succeeded',
        ok: true,
        faults: [],
      })
    },
    2 * VERIFY_MS_MAX,
  )
