import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { CHART, evaluation, EVERYTHING, helmMissing, production, type Labels, type Rendered } from './helm.ts'
import { configMapsOf, podTemplates, secretsOf, selects, shardTemplate, type PodTemplate } from './pods.ts'

const COMPONENT = 'app.kubernetes.io/component'
const SELECTING = new Set(['Service', 'Deployment', 'StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy'])
const COMPONENTS = ['operator', 'gateway', 'market', 'ledger', 'bridge'] as const
/** Made by the operator while it runs. */
const MADE_LATER = 'bourse-webhook-secrets'
/** What the documentation says the Secrets of one's own hold. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  servers: ['rabbitmq-url', 'mongodb-url', 'redis-url'],
  tokens: ['control-token', 'admin-token', 'jwt-secret'],
}

const named = (objects: readonly Rendered[], kind: string): readonly string[] =>
  objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name)

const specOf = <Spec>(object: Rendered): Spec => object['spec'] as Spec

describeUnless(helmMissing(), 'the chart', () => {
  const sets: Readonly<Record<string, readonly Rendered[]>> = {
    production: production(),
    'production with everything': production(EVERYTHING),
    'production with Secrets of its own': production({ 'secrets.existing': 'tokens' }),
    evaluation: evaluation(),
    'evaluation without disks': evaluation({
      'backing.persistence.enabled': false,
      'sandbox.persistence.enabled': false,
    }),
  }
  const cases = Object.entries(sets).map(([name, objects]) => ({ name, objects, pods: podTemplates(objects) }))
  const containersOf = (pods: readonly PodTemplate[]) =>
    pods.flatMap(({ owner, spec }) => spec.containers.map((container) => ({ owner, container })))

  test.each(cases)('$name: every pod meets the restricted standard', ({ pods }) => {
    expect(pods.length).toBeGreaterThan(5)
    for (const { owner, spec } of pods) {
      expect({ owner, ...spec.securityContext }).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect({ owner, links: spec.enableServiceLinks }).toEqual({ owner, links: false })
    }
    for (const { owner, container } of containersOf(pods))
      expect({ owner, ...container.securityContext }).toEqual({
        owner,
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  })

  test.each(cases)('$name: every container has its probes, its requests and a limit of memory', ({ pods }) => {
    for (const { owner, container } of containersOf(pods)) {
      const { requests, limits } = container.resources ?? {}
      expect({ owner, cpu: requests?.['cpu'], memory: limits?.['memory'] }).toEqual({
        owner,
        cpu: expect.any(String),
        memory: expect.any(String),
      })
      if (owner.startsWith('Pod/')) continue
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
        expect({ owner, probe, there: container[probe] !== undefined }).toEqual({ owner, probe, there: true })
    }
  })

  test.each(cases)(
    '$name: only the operator may speak to the API server, and only in its namespace',
    ({ objects, pods, name }) => {
      for (const { owner, spec } of pods)
        expect({ owner, token: spec.automountServiceAccountToken }).toEqual({
          owner,
          token: owner === 'Deployment/bourse-operator',
        })
      const clusterRoles = objects.filter(({ kind }) => kind === 'ClusterRole')
      expect(clusterRoles.map((role) => role['rules'])).toEqual(
        name.endsWith('everything')
          ? [[{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }]]
          : [],
      )
      for (const role of objects.filter(({ kind }) => kind === 'Role'))
        expect(JSON.stringify(role)).not.toContain('"*"')
      const accounts = named(objects, 'ServiceAccount')
      for (const { owner, spec } of pods)
        if (!owner.startsWith('Pod/'))
          expect({ owner, known: accounts.includes(spec.serviceAccountName ?? '') }).toEqual({ owner, known: true })
    },
  )

  test.each(cases)('$name: every Secret and ConfigMap that a pod reads is there, with the key', ({ objects, pods }) => {
    const made = new Map(
      objects
        .filter(({ kind }) => kind === 'Secret')
        .map(({ metadata, ...secret }) => [metadata.name, Object.keys(secret['stringData'] as Labels)] as const),
    )
    for (const pod of pods) {
      for (const { name, items = [], optional } of secretsOf(pod)) {
        if (optional === true) expect(name).toBe(MADE_LATER)
        else for (const { key } of items) expect(made.get(name) ?? OUTSIDE[name] ?? [name]).toContain(key)
      }
      for (const map of configMapsOf(pod)) expect(named(objects, 'ConfigMap')).toContain(map)
    }
  })

  test.each(cases)('$name: every volume that a container mounts is one of its pod', ({ objects, pods }) => {
    const claimed = (owner: string): readonly string[] => {
      const set = objects.find(({ kind, metadata }) => `${kind}/${metadata.name}` === owner)
      const spec = set === undefined ? undefined : specOf<{ volumeClaimTemplates?: readonly Rendered[] }>(set)
      return (spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name)
    }
    for (const { owner, spec } of pods) {
      const volumes = [...(spec.volumes ?? []).map(({ name }) => name), ...claimed(owner)]
      for (const { volumeMounts = [] } of spec.containers)
        for (const { name } of volumeMounts)
          expect({ owner, volumes }).toEqual({ owner, volumes: expect.arrayContaining([name]) })
      expect(new Set(volumes).size).toBe(volumes.length)
    }
  })

  test.each(cases)('$name: every selector finds the pods of its own component and no others', ({ objects, pods }) => {
    const selectors = objects.flatMap((object) => {
      type Selecting = { selector?: { matchLabels?: Labels } & Labels; podSelector?: { matchLabels?: Labels } }
      const spec = specOf<Selecting | undefined>(object)
      const selector =
        object.kind === 'Service' ? spec?.selector : (spec?.selector?.matchLabels ?? spec?.podSelector?.matchLabels)
      if (!SELECTING.has(object.kind) || selector === undefined) return []
      const component = object.metadata.labels?.[COMPONENT]
      return [{ of: `${object.kind}/${object.metadata.name}`, component, selector }]
    })
    expect(selectors.length).toBeGreaterThan(10)
    for (const { of, component, selector } of selectors) {
      const found = new Set(
        pods.filter(({ labels }) => selects(selector, labels)).map(({ labels }) => labels[COMPONENT]),
      )
      if (component === 'default') expect(found.size).toBeGreaterThan(COMPONENTS.length)
      else expect({ of, found: [...found] }).toEqual({ of, found: [component] })
    }
  })

  test.each(cases)(
    '$name: each component has a budget of one pod and, with the shards, a network policy',
    ({ objects }) => {
      expect(named(objects, 'PodDisruptionBudget')).toEqual(COMPONENTS.map((name) => `bourse-${name}`))
      const policies = named(objects, 'NetworkPolicy')
      expect(policies).toEqual(
        expect.arrayContaining(['default', 'trading', ...COMPONENTS].map((name) => `bourse-${name}`)),
      )
    },
  )

  test('shards have their group, wait for their partitions to leave, and are replaced by the operator alone', () => {
    const objects = production()
    for (const name of ['ledger', 'bridge']) {
      const set = objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === `bourse-${name}`)
      expect(set?.metadata.labels).toMatchObject({ 'bourse.dev/group': name })
      expect(set?.['spec']).toMatchObject({
        serviceName: `bourse-${name}`,
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'OnDelete' },
        template: { metadata: { labels: { 'bourse.dev/group': name } } },
      })
    }
    const shards = [
      ...podTemplates(objects).filter(({ labels }) => 'bourse.dev/group' in labels),
      shardTemplate(objects),
    ]
    expect(shards).toHaveLength(3)
    for (const { spec } of shards)
      expect(spec).toMatchObject({
        terminationGracePeriodSeconds: 60,
        containers: [
          {
            name: 'shard',
            ports: [{ name: 'control', containerPort: 3100 }],
            lifecycle: { preStop: { httpGet: { path: '/health/drained?waitSeconds=25', port: 'control' } } },
          },
        ],
      })
  })

  test('shards and bridge agree about the Secret of webhook secrets under any name of the release', () => {
    const objects = production({ fullnameOverride: 'shop' })
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'shop-shard-template')
    const template = (map?.['data'] as Labels | undefined)?.['shard-template.yaml']
    expect(template).toContain('bourse.dev/webhook-secrets: shop-webhook-secrets\n')
    const bridge = podTemplates(objects).find(({ owner }) => owner === 'StatefulSet/shop-bridge')
    expect(bridge?.spec.volumes).toContainEqual({
      name: 'webhooks',
      secret: { secretName: 'shop-webhook-secrets', optional: true, defaultMode: 0o440 },
    })
  })

  test('a number of bits of a file mode means the same to every YAML reader', () => {
    for (const { spec } of podTemplates(evaluation()))
      for (const { projected } of spec.volumes ?? [])
        if (projected !== undefined) expect(projected.defaultMode).toBe(0o440)
  })

  test('a changed configuration rolls every process, a changed template the operator, a new chart alone nothing', () => {
    const annotations = (objects: readonly Rendered[], owner: string): Labels | undefined => {
      const object = objects.find(({ kind, metadata }) => `${kind}/${metadata.name}` === owner)
      return (object?.['spec'] as { template: { metadata: { annotations?: Labels } } }).template.metadata.annotations
    }
    const before = production()
    const after = production({ config: { BOURSE_LIMIT_WEB_SOCKETS: '5000' } })
    for (const owner of ['StatefulSet/bourse-ledger', 'Deployment/bourse-gateway', 'Deployment/bourse-market'])
      expect(annotations(after, owner)).not.toEqual(annotations(before, owner))
    const operator = 'Deployment/bourse-operator'
    const template = production({ 'trading.env': { ENGINE_SNAPSHOT_SLACK: '8' } })
    expect(annotations(template, operator)).not.toEqual(annotations(before, operator))
    expect(annotations(template, 'Deployment/bourse-gateway')).toEqual(annotations(before, 'Deployment/bourse-gateway'))
    for (const { labels } of podTemplates(before)) expect(Object.keys(labels)).not.toContain('helm.sh/chart')
  })

  test('a large number among the variables keeps its digits', () => {
    const settings = { config: { BOURSE_LIMIT_WEB_SOCKETS: 5_000_000 }, 'ledger.env': { NODE_DEBUG: true } }
    const objects = production(settings)
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'bourse-config')
    expect(map?.['data']).toMatchObject({ BOURSE_LIMIT_WEB_SOCKETS: '5000000', BOURSE_PROFILE: 'production' })
    const ledger = podTemplates(objects).find(({ owner }) => owner === 'StatefulSet/bourse-ledger')
    expect(ledger?.spec.containers[0]?.env).toContainEqual({ name: 'NODE_DEBUG', value: 'true' })
  })

  test('the operator reaches MongoDB also where outside is narrowed to some addresses', () => {
    const outsideTo = [{ ipBlock: { cidr: '192.0.2.0/24' } }]
    const objects = production({ 'networkPolicy.outsideTo': outsideTo })
    for (const component of ['operator', 'gateway', 'market', 'ledger', 'bridge', 'trading']) {
      const name = `bourse-${component}`
      const policy = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name)
      const egress = policy === undefined ? [] : specOf<{ egress: readonly object[] }>(policy).egress
      expect({ component, egress }).toEqual({
        component,
        egress: expect.arrayContaining([{ ports: [{ port: 27_017, protocol: 'TCP' }] }]),
      })
    }
  })

  test('gateways lead to the simulators of an evaluation, and of no production', () => {
    const sandboxOf = (objects: readonly Rendered[]) => {
      const gateway = podTemplates(objects).find(({ owner }) => owner === 'Deployment/bourse-gateway')
      const env = (gateway?.spec.containers[0]?.env ?? []) as readonly {
        readonly name: string
        readonly value?: string
      }[]
      return env.filter(({ name }) => name.startsWith('BOURSE_SANDBOX_')).map(({ name, value }) => `${name}=${value}`)
    }
    expect(sandboxOf(evaluation())).toEqual([
      'BOURSE_SANDBOX_BANK_URL=http://bourse-mock-bank:3002',
      'BOURSE_SANDBOX_EXCHANGE_URL=http://bourse-mock-exchange:3001',
    ])
    expect(sandboxOf(evaluation({ exchangeUrl: 'https://exchange.example' }))).toHaveLength(1)
    expect(sandboxOf(production({ 'sandbox.enabled': true }))).toEqual([])
  })

  test('metrics are on no port that customers reach', () => {
    const objects = production({
      ...EVERYTHING,
      'networkPolicy.gatewayFrom': [{ ipBlock: { cidr: '192.0.2.0/24' } }],
      'networkPolicy.monitoringFrom': [{ namespaceSelector: { matchLabels: { team: 'watch' } } }],
    })
    const one = (kind: string, name: string): Rendered | undefined =>
      objects.find((object) => object.kind === kind && object.metadata.name === name)
    const policy = one('NetworkPolicy', 'bourse-gateway')
    expect((policy?.['spec'] as { readonly ingress: unknown }).ingress).toEqual([
      { ports: [{ port: 3000, protocol: 'TCP' }], from: [{ ipBlock: { cidr: '192.0.2.0/24' } }, { podSelector: {} }] },
      {
        ports: [{ port: 3100, protocol: 'TCP' }],
        from: [{ podSelector: {} }, { namespaceSelector: { matchLabels: { team: 'watch' } } }],
      },
    ])
    expect(one('ServiceMonitor', 'bourse-gateway')?.['spec']).toMatchObject({ endpoints: [{ port: 'telemetry' }] })
    expect(one('Service', 'bourse-gateway')?.['spec']).toMatchObject({ ports: [{ name: 'http', targetPort: 'http' }] })
    expect(one('Service', 'bourse-gateway-telemetry')?.['spec']).toMatchObject({
      clusterIP: 'None',
      ports: [{ name: 'telemetry', port: 3100, targetPort: 'telemetry' }],
    })
    const gateway = podTemplates(objects).find(({ owner }) => owner === 'Deployment/bourse-gateway')
    expect(gateway?.spec.containers[0]).toMatchObject({
      env: expect.arrayContaining([{ name: 'BOURSE_TELEMETRY_PORT', value: '3100' }]),
      ports: [
        { name: 'http', containerPort: 3000 },
        { name: 'telemetry', containerPort: 3100 },
      ],
    })
  })

  test('dashboards arrive whole, and their links lead to where runbooks are read', () => {
    const dashboards = production({
      'monitoring.dashboards.enabled': true,
      'monitoring.runbookUrl': 'https://git.example/runbooks/',
    }).filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.['grafana_dashboard'] === '1')
    expect(dashboards).toHaveLength(8)
    for (const { data } of dashboards) {
      const [[file, text]] = Object.entries(data as Readonly<Record<string, string>>) as [[string, string]]
      const inFolder = readFileSync(join(CHART, 'files/dashboards', file), 'utf8')
      const variables = (JSON.parse(text) as { templating: { list: { name: string; query?: unknown }[] } }).templating
      expect(variables.list.find(({ name }) => name === 'runbooks')?.query).toBe('https://git.example/runbooks')
      expect(text.replace('https://git.example/runbooks', 'docs/runbooks')).toBe(inFolder)
    }
  })

  test('the operator may do what it does, and nothing else', () => {
    const role = production().find(({ kind }) => kind === 'Role')
    type Rule = Readonly<Record<'resources' | 'verbs', readonly string[]>>
    const rights = ((role?.['rules'] ?? []) as readonly Rule[]).flatMap(({ resources, verbs }) =>
      resources.map((resource) => [resource, verbs.join(' ')] as const),
    )
    expect(Object.fromEntries(rights)).toEqual({
      tradingpairs: 'get list watch patch',
      banks: 'get list watch patch',
      'tradingpairs/status': 'patch',
      'banks/status': 'patch',
      statefulsets: 'get list watch create patch delete',
      secrets: 'get list watch create update patch delete',
      services: 'create patch delete',
      poddisruptionbudgets: 'create patch delete',
      networkpolicies: 'create patch delete',
      pods: 'list watch patch delete',
      events: 'create patch',
      leases: 'get create update',
    })
  })

  test('no secret is an environment variable of our processes', () => {
    for (const { owner, container } of containersOf(podTemplates(production(EVERYTHING))))
      for (const { name, valueFrom } of container.env ?? [])
        expect({ owner, name, secret: valueFrom?.secretKeyRef }).toEqual({ owner, name, secret: undefined })
  })
})
