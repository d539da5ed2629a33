import { expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { inRoot } from '../../../../services/common/tooling/paths.mjs'
import { NAMESPACE, type Cluster, type KubeObject, type Pod } from '../support/cluster.ts'
import { CHART, RELEASE } from '../support/installation.ts'
import { runOk } from '../support/shell.ts'
import { say, showing, type OpenStage } from '../support/stage.ts'
import { until } from '../support/wait.ts'

/** What no process but the operator may, and what the operator may not either. */
const FORBIDDEN_TO_ALL = [
  'create pods',
  'get pods/exec',
  'create pods/exec',
  'get pods --namespace kube-system',
  'get secrets --namespace kube-system',
  'list secrets --all-namespaces',
  'create roles.rbac.authorization.k8s.io',
  'create rolebindings.rbac.authorization.k8s.io',
  'create clusterrolebindings.rbac.authorization.k8s.io',
  'delete nodes',
  'patch nodes',
  'create serviceaccounts/token',
  'delete customresourcedefinitions.apiextensions.k8s.io',
  'create tradingpairs.bourse.dev',
  'delete tradingpairs.bourse.dev',
  'impersonate users',
  'escalate roles.rbac.authorization.k8s.io',
] as const
const FORBIDDEN_TO_OTHERS = [
  'get secrets',
  'list secrets',
  'list pods',
  'delete pods',
  'get configmaps',
  'update statefulsets.apps',
  'get leases.coordination.k8s.io',
  'list tradingpairs.bourse.dev',
  'update banks.bourse.dev/status',
] as const

/** An attempt: verb, resource as kubectl writes it, and where, if not in the suite's namespace. */
const attributesOf = (what: string): object => {
  const [verb, target = '', ...options] = what.split(' ')
  const [path = '', ...group] = target.split('.')
  const [resource, subresource] = path.split('/')
  const [option, value] = options
  const namespace = option === '--all-namespaces' ? '' : option === '--namespace' ? value : NAMESPACE
  return { namespace, verb, group: group.join('.'), resource, ...(subresource === undefined ? {} : { subresource }) }
}

/** What of these attempts the API server would let an account do. */
const allowedOf = async (
  cluster: Cluster,
  attempts: readonly { readonly account: string; readonly what: string }[],
): Promise<readonly string[]> => {
  const reviews = attempts.map(({ account, what }) => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${NAMESPACE}:${account}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
      resourceAttributes: attributesOf(what),
    },
  }))
  const list = { apiVersion: 'v1', kind: 'List', items: reviews }
  // One word for each, whether kubectl prints them as a list or one by one.
  const verdict = ['create', '-f', '-', '-o', 'jsonpath={..status.allowed}{" "}']
  const { code, stdout, stderr } = await cluster.tryKubectl(verdict, JSON.stringify(list))
  if (code !== 0) throw new Error(stderr)
  const allowed = stdout.trim().split(/\s+/u)
  if (allowed.length !== attempts.length) throw new Error(`${attempts.length} were asked, ${allowed.length} answered`)
  return attempts.filter((_, index) => allowed[index] !== 'false').map(({ account, what }) => `${account} may ${what}`)
}

/** Each ServiceAccount tries what it must not. */
export const declareRights = (stage: OpenStage): void =>
  showing('each ServiceAccount tries what it must not', async () => {
    const { cluster } = stage.now
    const accounts = (await cluster.list<KubeObject>('serviceaccount'))
      .map(({ metadata }) => metadata.name)
      .filter((name) => name !== 'default')
    const attempts = accounts.flatMap((account) =>
      [...FORBIDDEN_TO_ALL, ...(account.endsWith('-operator') ? [] : FORBIDDEN_TO_OTHERS)].map((what) => ({
        account,
        what,
      })),
    )
    expect(await allowedOf(cluster, attempts)).toEqual([])
    // The questions are asked rightly: what the operator needs is allowed.
    const needed = { account: `${RELEASE}-operator`, what: 'patch tradingpairs.bourse.dev' }
    expect(await allowedOf(cluster, [needed, { ...needed, what: 'list secrets' }])).toHaveLength(2)
    const as = `system:serviceaccount:${NAMESPACE}:${RELEASE}-gateway`
    const { code, stderr } = await cluster.tryKubectl(['get', 'secrets', '--as', as])
    expect([code === 0, stderr.includes('forbidden')]).toEqual([false, true])
    return `${accounts.length} accounts, ${attempts.length} attempts, none allowed`
  })

/** What people type, answered as the contract says. */
export const declareCommands = (stage: OpenStage): void => {
  showing('kubectl get, explain and wait', async () => {
    const { cluster } = stage.now
    const pairs = await cluster.kubectl('get', 'tp')
    const banks = await cluster.kubectl('get', 'bank')
    say(await cluster.kubectl('get', 'tp,bank'))
    const columns = (text: string): readonly string[] => (text.split('\n')[0] ?? '').trim().split(/\s{2,}/u)
    expect(columns(pairs)).toEqual(['NAME', 'SYMBOL', 'STATE', 'SHARDS', 'READY', 'PARTITIONS', 'LAST-SNAPSHOT', 'AGE'])
    expect(columns(banks)).toEqual(['NAME', 'STATE', 'KEY-AGE', 'CALLBACK', 'READY', 'AGE'])
    const explained = await cluster.kubectl('explain', 'tp.spec.margin.tiers')
    say(explained)
    for (const word of ['notionalFloor', 'maintenanceRate', 'maxLeverage', 'DESCRIPTION'])
      expect(explained).toContain(word)
    await cluster.kubectl('wait', 'tp/btc-usdc', 'tp/sol-usdc', '--for=condition=Ready', '--timeout=5m')
    await cluster.kubectl('wait', 'bank/demo', '--for=condition=Ready', '--timeout=5m')
    return 'the columns of the contract, a manual, and kubectl wait returns'
  })

  showing('helm test', async () => {
    const output = await stage.now.cluster.helm('test', RELEASE, '--logs', '--timeout', '10m')
    expect(output).toContain('Succeeded')
    return 'succeeded'
  })

  showing('helm lint, template, dry run and kubeconform', async () => {
    const { cluster } = stage.now
    const { env } = cluster
    const settings = [
      ['--set', 'sandbox.enabled=true,backing.enabled=true,profile=development'],
      [
        '--set',
        'backingServices.existingSecret=servers,exchangeUrl=https://exchange.example,networkPolicy.enabled=true',
      ],
      ['--values', inRoot('charts', 'bourse', 'values-evaluation.yaml')],
    ]
    let objects = 0
    for (const setting of settings) {
      await runOk('helm', ['lint', '--strict', CHART, ...setting], { env })
      const rendered = await runOk(
        'helm',
        ['template', 'trial', CHART, '--namespace', NAMESPACE, '--set', 'crds.enabled=false', ...setting],
        { env },
      )
      const { code, stdout, stderr } = await cluster.tryKubectl(['apply', '--dry-run=server', '-f', '-'], rendered)
      if (code !== 0) throw new Error(`kubectl apply --dry-run=server: ${stderr}`)
      objects += stdout.trim().split('\n').length
    }
    return `3 sets of values, ${objects} objects accepted by the API server without being made`
  })

  showing('what the cluster can not show', async () => {
    const { env } = stage.now.cluster
    const rendered = await runOk(
      'helm',
      [
        ...['template', 'trial', CHART, '--show-only', 'templates/monitoring.yaml'],
        ...['--set', 'sandbox.enabled=true,backing.enabled=true,profile=development'],
        ...['--set', 'monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true'],
      ],
      { env },
    )
    expect(rendered).toContain('kind: ServiceMonitor')
    expect(rendered).toContain('kind: PrometheusRule')
    const skaffold = existsSync(inRoot('skaffold.yaml')) ? 'is there' : 'is not there'
    return (
      'NetworkPolicies are accepted by the API server, no plugin enforces them; ServiceMonitor and PrometheusRule are ' +
      `rendered, their definitions are not in this cluster; skaffold.yaml ${skaffold}, no skaffold to run it`
    )
  })
}

const PRODUCTION_MS_MAX = 15 * 60_000

/** In production the stand-in for MongoDB is refused. */
export const declareProductionRefusal = (stage: OpenStage): void =>
  test(
    'the production profile refuses a MongoDB that could lose data',
    async () => {
      const { cluster } = stage.now
      const [gateway] = await cluster.list<Pod & { readonly spec: object }>('pod', 'app.kubernetes.io/component=ledger')
      const spec = structuredClone(gateway?.spec) as {
        containers: { name: string; env: { name: string; value?: string }[]; lifecycle?: object }[]
        [field: string]: unknown
      }
      const [container] = spec.containers
      if (container === undefined) throw new Error('there is no ledger')
      container.env = [...container.env, { name: 'BOURSE_PROFILE', value: 'production' }]
      for (const field of ['startupProbe', 'readinessProbe', 'livenessProbe', 'lifecycle'])
        delete (container as Record<string, unknown>)[field]
      for (const field of ['hostname', 'subdomain', 'nodeName']) delete spec[field]
      spec['volumes'] = (spec['volumes'] as { name: string }[]).filter(
        ({ name }) => !name.startsWith('kube-api-access'),
      )
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'in-production' },
        spec: { ...spec, restartPolicy: 'Never' },
      }
      await cluster.apply(pod)
      try {
        await until(
          () => cluster.object<Pod>('pod', 'in-production'),
          (found) => found?.status.phase === 'Failed',
        )
        const log = await cluster.kubectl('logs', 'in-production')
        say(`production profile: refused: ${log.trim().split('\n').slice(-3).join(' | ')}`)
        expect(log).toMatch(/can not start/u)
        expect(log).toMatch(/mongo/iu)
      } finally {
        await cluster.tryKubectl(['delete', 'pod', 'in-production', '--force', '--grace-period=0'])
      }
    },
    PRODUCTION_MS_MAX,
  )
