import { KubeConfig } from '@kubernetes/client-node'
import { delimiter } from 'node:path'
import { stringify } from 'yaml'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { bankKind, tradingPairKind } from '../../../src/resources/kinds.ts'
import { createKubeClient } from '../../../src/runtime/client.ts'
import { leaseKind, nodeKind, podKind, secretKind, serviceKind, statefulSetKind } from '../../../src/runtime/kinds.ts'
import type { KubeObject as ApiObject, ResourceKind } from '../../../src/runtime/types.ts'
import { pause } from '../../../../services/all-in-one/test/support/calls.ts'
import { findCluster, type Found } from './kit.ts'
import { run, runOk, type RunOptions, type Said } from './shell.ts'
import { answerOf, until } from './wait.ts'

/** The namespace everything of this suite is in. */
export const NAMESPACE = 'bourse-test'

/** Fields that every object of the API has. */
export interface KubeObject {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly generation?: number
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

/** A condition of a status. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
}

/** A pod, as far as scenarios look at it. */
export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: readonly Condition[]
    readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number }[]
  }
}

/** What scenarios look at, by the names that kubectl knows. */
const KINDS = {
  bank: bankKind,
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  lease: leaseKind,
  node: nodeKind,
  pod: podKind,
  pvc: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims' },
  secret: secretKind,
  service: serviceKind,
  serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' },
  statefulset: statefulSetKind,
  tp: tradingPairKind,
} as const satisfies Readonly<Record<string, ResourceKind<ApiObject>>>
/** A kind that scenarios look at. */
export type KindName = keyof typeof KINDS

/** The cluster of a run. Commands are in the suite's namespace unless they say otherwise. */
export interface Cluster extends Found {
  /** Must succeed; resolves with what it printed. */
  kubectl(...args: readonly string[]): Promise<string>
  /** However it ends. */
  tryKubectl(args: readonly string[], input?: string): Promise<Said>
  /** Applies manifests, of this suite's field manager, from the server's side. */
  apply(...objects: readonly object[]): Promise<void>
  /** Null when there is none. Not by kubectl: what looks all the time must not take the processors from what it looks at. */
  object<Kind extends KubeObject>(kind: KindName, name: string): Promise<Kind | null>
  list<Kind extends KubeObject>(kind: KindName, selector?: string): Promise<readonly Kind[]>
  helm(...args: readonly string[]): Promise<string>
}

/** Programs end by themselves; these limits are for one that hangs. */
const HELM_MS_MAX = 15 * 60_000
const KUBECTL_MS_MAX = 10 * 60_000
/** What kubectl says when the server has not done what it was asked, and asking again is right. */
const NOT_ASKED = new RegExp(
  [
    'connection refused',
    'connection reset',
    'TLS handshake timeout',
    'i/o timeout',
    'unexpected EOF',
    'etcdserver:',
    'currently unable',
    'too many requests',
  ].join('|'),
  'iu',
)
const ATTEMPTS_MAX = 20
const AGAIN_MS = 1_000

/** Runs a kubectl command until it has reached the server: it's away now and then, and busy now and then. */
const kubectlOf =
  (env: NodeJS.ProcessEnv) =>
  async (args: readonly string[], options: RunOptions = {}): Promise<Said> => {
    for (let attempt = 1; ; attempt++) {
      const all = ['--namespace', NAMESPACE, ...args]
      const said = await run('kubectl', all, { env, timeoutMs: KUBECTL_MS_MAX, ...options })
      if (said.code === 0 || attempt === ATTEMPTS_MAX || !NOT_ASKED.test(said.stderr)) return said
      await pause(AGAIN_MS)
    }
  }

/** Reads objects over one kept connection. */
const readerOf = (env: NodeJS.ProcessEnv): Pick<Cluster, 'object' | 'list'> => {
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromFile((env['KUBECONFIG'] ?? '').split(delimiter)[0] ?? '')
  const client = createKubeClient({
    kubeConfig,
    namespace: NAMESPACE,
    fieldManager: 'cluster-test',
    clock: createSystemClock(),
    metrics: createMetrics(),
  })
  const kindOf = (kind: KindName): ResourceKind<ApiObject> => KINDS[kind]
  return {
    object: async <Kind extends KubeObject>(kind: KindName, name: string) =>
      (await answerOf(() => client.get(kindOf(kind), name))) as Kind | null,
    list: async <Kind extends KubeObject>(kind: KindName, selector?: string) => {
      const options = selector === undefined ? {} : { labelSelector: selector }
      return (await answerOf(() => client.list(kindOf(kind), options))).items as unknown as readonly Kind[]
    },
  }
}

/** Finds a cluster, with the means to work with it. */
export const openCluster = async (): Promise<Cluster> => {
  const found = await findCluster()
  const { env } = found
  const ask = kubectlOf(env)
  const tryKubectl = (args: readonly string[], input?: string): Promise<Said> =>
    ask(args, input === undefined ? {} : { input })
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await ask(args)
    if (code === 0) return stdout
    throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${(stderr + stdout).slice(-3_000)}`)
  }
  return {
    ...found,
    ...readerOf(env),
    kubectl,
    tryKubectl,
    apply: async (...objects) => {
      const text = objects.map((object) => stringify(object)).join('---\n')
      const { code, stderr } = await tryKubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text)
      if (code !== 0) throw new Error(`kubectl apply: ${stderr}`)
    },
    helm: (...args) => runOk('helm', ['--namespace', NAMESPACE, ...args], { env, timeoutMs: HELM_MS_MAX }),
  }
}

/** Whether a pod takes traffic. */
export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True')

/** The pods of a selector, once `done` says so. */
export const untilPods = (
  cluster: Cluster,
  selector: string,
  done: (pods: readonly Pod[]) => boolean,
  limitMs?: number,
): Promise<readonly Pod[]> => until(() => cluster.list<Pod>('pod', selector), done, limitMs)

/** A service's address that this machine reaches: `http://10.96.1.2:3000`. */
export const serviceUrl = async (cluster: Cluster, name: string, scheme = 'http'): Promise<string> => {
  const service = await cluster.object<
    KubeObject & { readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly port: number }[] } }
  >('service', name)
  if (service === null) throw new Error(`no service ${name}`)
  return `${scheme}://${service.spec.clusterIP}:${service.spec.ports[0]?.port}`
}

/** A secret's values as text; null when there is none. */
export const secretOf = async (cluster: Cluster, name: string): Promise<Readonly<Record<string, string>> | null> => {
  const secret = await cluster.object<KubeObject & { readonly data?: Readonly<Record<string, string>> }>('secret', name)
  if (secret === null) return null
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  )
}
