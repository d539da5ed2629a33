import { stringify } from 'yaml'
import { call } from '../../../../services/all-in-one/test/support/calls.ts'
import { inRoot } from '../../../../services/common/tooling/paths.mjs'
import {
  isReady,
  NAMESPACE,
  secretOf,
  serviceUrl,
  untilPods,
  type Cluster,
  type KubeObject,
  type Pod,
} from './cluster.ts'
import { run } from './shell.ts'
import { until } from './wait.ts'

/** Helm's release; with this name every object's name begins. */
export const RELEASE = 'bourse'
const CRDS = ['tradingpairs.bourse.dev', 'banks.bourse.dev']
/** Where the chart of the working tree is. */
export const CHART = inRoot('charts', 'bourse')

/** Limits are lifted: every call of the suite comes from one address. */
const CONFIG = {
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LIMIT_EMAIL_SIGN_INS_PER_MINUTE: '100000',
}

/** The kit's images, of which the last one is a stand-in; elsewhere the chart's own are pulled. */
const KIT_BACKING = {
  rabbitmq: { image: 'rabbitmq:3.10-management' },
  redis: { image: 'redis:7.0-bookworm' },
  mongodb: { image: 'mongo:ferretdb-1.24', authentication: false },
}

/** Two dozen pods on a node of two processors, which they share with the cluster itself. */
const SMALL = { requests: { cpu: '20m', memory: '96Mi' } }

/** How an installation is told apart from the chart's defaults. */
export interface InstallOptions {
  readonly chart?: string
  readonly tag: string
  readonly values?: Readonly<Record<string, unknown>>
}

const valuesOf = (cluster: Cluster, { tag, values = {} }: InstallOptions): string =>
  stringify({
    image: { repository: 'docker.io/library/bourse', tag },
    profile: 'development',
    partitions: { ledger: 2, bridge: 1 },
    config: CONFIG,
    operator: { replicas: 2, watchNodes: true, resources: SMALL },
    market: { resources: SMALL },
    ledger: { resources: SMALL },
    bridge: { resources: SMALL },
    trading: { resources: SMALL },
    // Its address outlives an uninstall: the load's clients go on using it after the next install.
    gateway: { replicas: 2, resources: SMALL, service: { annotations: { 'helm.sh/resource-policy': 'keep' } } },
    sandbox: { enabled: true, persistence: { enabled: true } },
    backing: { enabled: true, ...(cluster.kit === null ? {} : KIT_BACKING) },
    ...values,
  })

/** For a helm that hangs. */
const HELM_MS_MAX = 15 * 60_000
/** Until every process is another one; shards go one after the other. */
const ROLL_MS_MAX = 15 * 60_000

/** Installs or upgrades the release; does not wait for anything to be ready. */
export const helmApply = async (
  cluster: Cluster,
  verb: 'install' | 'upgrade',
  options: InstallOptions,
): Promise<void> => {
  const { env } = cluster
  const args = ['--namespace', NAMESPACE, verb, RELEASE, options.chart ?? CHART, '--values', '-', '--timeout', '10m']
  const { code, stderr } = await run('helm', args, { env, input: valuesOf(cluster, options), timeoutMs: HELM_MS_MAX })
  if (code !== 0) throw new Error(`helm ${verb}: ${stderr}`)
}

/** A running installation, as this machine reaches it. */
export interface Installation {
  readonly url: string
  readonly exchangeUrl: string
  readonly bankUrl: string
  /** Of the simulated bank, as pods reach it. */
  readonly callbackUrl: string
  /** The backing services, by address. */
  readonly backing: { readonly mongodbUrl: string; readonly rabbitmqUrl: string }
  readonly secrets: Readonly<Record<string, string>>
}

/** A URL of the cluster's with its host's address in place of its name. */
const byAddress = async (cluster: Cluster, text: string): Promise<string> => {
  const url = new URL(text)
  const [service = ''] = url.hostname.split('.')
  const { hostname } = new URL(await serviceUrl(cluster, service))
  return text.replace(url.hostname, hostname)
}

/** What there is to know of the release's objects, once they are there. */
export const findInstallation = async (cluster: Cluster): Promise<Installation> => {
  const backing = await secretOf(cluster, `${RELEASE}-backing`)
  return {
    url: await serviceUrl(cluster, `${RELEASE}-gateway`),
    exchangeUrl: await serviceUrl(cluster, `${RELEASE}-mock-exchange`),
    bankUrl: await serviceUrl(cluster, `${RELEASE}-mock-bank`),
    callbackUrl: `http://${RELEASE}-mock-bank.${NAMESPACE}.svc:3002`,
    backing: {
      mongodbUrl: await byAddress(cluster, backing?.['mongodb-url'] ?? ''),
      rabbitmqUrl: await byAddress(cluster, backing?.['rabbitmq-url'] ?? ''),
    },
    secrets: (await secretOf(cluster, `${RELEASE}-secrets`)) ?? {},
  }
}

/** Why the platform takes no commands; null once it does. */
export const unreadiness = async (url: string): Promise<string | null> => {
  try {
    const answer = await call(`${url}/readyz`)
    return answer.status === 200 ? null : answer.text
  } catch (error) {
    return String(error)
  }
}

/** Resolves once the platform takes commands. */
export const untilReady = async (url: string): Promise<void> =>
  void (await until(
    () => unreadiness(url),
    (why) => why === null,
  ))

/** Takes finalizers off: nobody is there any more who would. */
const dropFinalizers = async (cluster: Cluster): Promise<void> => {
  for (const kind of ['tp', 'bank']) {
    const { code, stdout } = await cluster.tryKubectl(['get', kind, '-o', 'name'])
    for (const name of code === 0 ? stdout.split('\n').filter((line) => line !== '') : [])
      await cluster.tryKubectl(['patch', name, '--type', 'merge', '-p', '{"metadata":{"finalizers":[]}}'])
  }
}

/** Removes everything a run has made or an earlier one has left: release, namespace, definitions. */
export const clear = async (cluster: Cluster): Promise<void> => {
  const { env } = cluster
  await cluster.tryKubectl(['delete', 'tp,bank', '--all', '--wait=false'])
  const uninstall = ['--namespace', NAMESPACE, 'uninstall', RELEASE, '--ignore-not-found', '--no-hooks']
  await run('helm', uninstall, { env, timeoutMs: HELM_MS_MAX })
  await dropFinalizers(cluster)
  await cluster.tryKubectl(['delete', 'pod', '--all', '--force', '--grace-period=0', '--wait=false'])
  await run('kubectl', ['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=300s'], {
    env,
    timeoutMs: 310_000,
  })
  await run('kubectl', ['delete', 'crd', ...CRDS, '--ignore-not-found'], { env })
  await until(
    () => cluster.kubectl('get', 'namespace', NAMESPACE, '--ignore-not-found', '-o', 'name'),
    (name) => name === '',
  )
}

/** Waits until the API server knows both resources. */
export const untilDefined = async (cluster: Cluster): Promise<void> => {
  await until(
    () => cluster.tryKubectl(['get', 'crd', ...CRDS]),
    ({ code }) => code === 0,
  )
  await cluster.kubectl('wait', ...CRDS.map((name) => `crd/${name}`), '--for=condition=Established', '--timeout=5m')
}

/** A TradingPair's or a Bank's status. */
export interface Described extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>
  readonly status?: {
    readonly observedGeneration?: number
    readonly shards?: number
    readonly selector?: string
    readonly keySecret?: string
    readonly keyRotatedAt?: string
    readonly partitions?: readonly {
      readonly id: number
      readonly shard: number | null
      readonly epoch: number
      readonly sequence: string
      readonly snapshot?: { readonly sequence: string } | null
    }[]
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
      readonly observedGeneration?: number
    }[]
  }
}

/** Resolves once a condition is as wanted for the manifest's present generation. */
export const untilCondition = (
  cluster: Cluster,
  kind: 'tp' | 'bank',
  name: string,
  type: string,
  status: string,
): Promise<Described | null> =>
  until(
    () => cluster.object<Described>(kind, name),
    (found) => {
      const condition = found?.status?.conditions?.find((one) => one.type === type)
      const isCurrent = found?.status?.observedGeneration === found?.metadata.generation
      return isCurrent && condition?.status === status
    },
  )

/** Waits until every process of the platform runs the image of this tag and is ready. */
export const untilRolled = async (cluster: Cluster, tag: string): Promise<void> => {
  const isNew = (pod: Pod): boolean => isReady(pod) && (pod.spec.containers[0]?.image ?? '').endsWith(`:${tag}`)
  await untilPods(
    cluster,
    'app.kubernetes.io/part-of=bourse',
    (pods) => {
      const own = pods.filter(({ spec }) => /\/bourse:/u.test(spec.containers[0]?.image ?? ''))
      return own.length > 0 && own.every(isNew)
    },
    ROLL_MS_MAX,
  )
}
