import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { startChild } from '@bourse/common/testkit/servers/child.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { bankKind, tradingPairKind } from '@bourse/operator/resources/kinds.ts'
import type { AppliedObject } from '@bourse/operator/runtime/types.ts'
import { createFakeCluster } from '@bourse/operator/testkit/fake-cluster.ts'
import { FAKE_TOKEN, listenFakeCluster } from '@bourse/operator/testkit/fake-http.ts'
import { writeManifests } from '../servers/manifests.ts'
import { answering } from '../servers/program.ts'
import type { ScrapeTarget } from '../servers/prometheus.ts'

/** The operator’s own program, with resources to look after. */
export interface WatchedOperator {
  readonly target: ScrapeTarget
  stop(): Promise<void>
}

const OPERATOR = fileURLToPath(new URL('../../../../operator/src/main.ts', import.meta.url))
const CONTROL_TOKEN = 'the-control-token-of-the-queries-0123456789'
const WATCHES_END_EVERY_MS = 5_000

const kubeConfigOf = (server: string, namespace: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'fake', user: { token: FAKE_TOKEN } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake', namespace } }],
    'current-context': 'fake',
  })

/** The pairs and banks of the watched platform, as objects of a cluster. */
const resourcesIn = async (folder: string): Promise<readonly AppliedObject[]> => {
  await writeManifests(folder, 'http://127.0.0.1:1')
  const files = (await readdir(folder)).sort()
  return Promise.all(files.map(async (file) => parse(await readFile(join(folder, file), 'utf8')) as AppliedObject))
}

/**
 * Starts the operator against an API server in memory that has the platform’s pairs and bank, but no nodes: nobody makes pods,
 * so that partitions stay unserved. All watches end now and then, as behind a load balancer.
 * @throws when it does not start, with what it said
 */
export const startWatchedOperator = async (deps: {
  readonly folder: string
  readonly namespace: string
  /** A database of its own. */
  readonly mongoUrl: string
  readonly clock: Clock
}): Promise<WatchedOperator> => {
  const { folder, namespace, clock } = deps
  await mkdir(folder, { recursive: true })
  const cluster = createFakeCluster({ clock, namespace })
  const api = await listenFakeCluster(cluster)
  const resources = await resourcesIn(join(folder, 'manifests'))
  for (const resource of resources) {
    if (resource.kind === bankKind.kind) cluster.create(bankKind, resource)
    else cluster.create(tradingPairKind, resource)
  }
  await writeFile(join(folder, 'kubeconfig'), kubeConfigOf(api.url, namespace))
  await writeFile(
    join(folder, 'template.yaml'),
    stringify({ spec: { containers: [{ name: 'shard', image: 'bourse' }] } }),
  )
  const port = await freePort()
  const child = startChild({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', OPERATOR],
    logFile: join(folder, 'operator.log'),
    env: {
      PATH: process.env['PATH'],
      KUBECONFIG: join(folder, 'kubeconfig'),
      BOURSE_KUBERNETES_NAMESPACE: namespace,
      BOURSE_SHARD_TEMPLATE: join(folder, 'template.yaml'),
      BOURSE_MONGODB_URL: deps.mongoUrl,
      BOURSE_CONTROL_TOKEN: CONTROL_TOKEN,
      BOURSE_SERVICE_PORT: String(port),
      BOURSE_POD_NAME: 'operator-0',
    },
  })
  try {
    await answering({ title: 'The operator', url: `http://127.0.0.1:${port}/metrics`, ...child })
  } catch (error) {
    await child.kill()
    await api.close()
    throw error
  }
  const disturbing = clock.every(
    WATCHES_END_EVERY_MS,
    () => cluster.endWatches('close'),
    () => undefined,
  )
  return {
    target: {
      job: 'operator',
      url: `http://127.0.0.1:${port}`,
      labels: { namespace, pod: 'operator-0' },
    },
    stop: async () => {
      await disturbing.stop()
      await child.kill()
      await api.close()
    },
  }
}
