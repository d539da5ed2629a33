import { networkPolicyKind, podDisruptionBudgetKind, serviceKind, statefulSetKind } from '../runtime/kinds.ts'
import type { AppliedObject, KubeObject, ResourceKind } from '../runtime/types.ts'
import { GROUP_LABEL } from '../shards/groups.ts'

/** Port of the shards' control interface. */
export const CONTROL_PORT = 3_100
/** Servers that shards reach, where the template does not name others: RabbitMQ, MongoDB, Redis, with and without TLS. */
export const BACKING_PORTS: readonly number[] = [5_671, 5_672, 6_379, 6_380, 27_017]
/** Annotation of the template with the ports of the servers behind, separated by commas. */
export const EGRESS_PORTS_ANNOTATION = 'bourse.dev/egress-ports'

/** On everything that is made for a pair: the pair's name. */
export const TRADING_PAIR_LABEL = 'bourse.dev/trading-pair'
/** Annotation of the template with the name of the Secret that the bridge's pods read webhook secrets from. */
export const WEBHOOK_SECRETS_ANNOTATION = 'bourse.dev/webhook-secrets'

type Fields = Readonly<Record<string, unknown>>

/** The pod template that the chart gives; everything that depends on names is added here. */
export interface ShardTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: Fields & { readonly containers: readonly (Fields & { readonly name: string })[] }
}

/** Name of a pair's group, and of its StatefulSet, Service and the rest. */
export const groupOfPair = (pair: string): string => `pair-${pair}`

/** Selector of a pair's shards, as the scale subresource has it. */
export const selectorOfPair = (pair: string): string => `${GROUP_LABEL}=${groupOfPair(pair)}`

/** Reads what the template file has. @throws {Error} naming what is wrong */
export const readShardTemplate = (document: unknown): ShardTemplate => {
  const template = document as ShardTemplate | null
  const containers = template?.spec?.containers
  if (!Array.isArray(containers) || !containers.some((one: { name?: unknown }) => one.name === 'shard'))
    throw new Error("the shards' pod template has no container of the name shard; it is a PodTemplateSpec of the chart")
  return template as ShardTemplate
}

/** The Secret with the webhook secrets of all banks, as the chart names it. */
export const webhookSecretsNameOf = (template: ShardTemplate): string =>
  template.metadata?.annotations?.[WEBHOOK_SECRETS_ANNOTATION] ?? 'bourse-webhook-secrets'

/** The environment of a shard: what is its own comes first, for the template's may refer to it. */
const environmentOf = (given: unknown, group: string, namespace: string): readonly Fields[] => {
  const own = [
    { name: 'BOURSE_SHARD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'BOURSE_SERVICE_URL', value: `http://$(BOURSE_SHARD_NAME).${group}.${namespace}.svc:${CONTROL_PORT}` },
  ]
  const names = new Set(own.map(({ name }) => name))
  const others = ((given ?? []) as readonly (Fields & { readonly name: string })[]).filter(
    ({ name }) => !names.has(name),
  )
  return [...own, ...others]
}

const podTemplateOf = (template: ShardTemplate, labels: Fields, group: string, namespace: string): Fields => ({
  metadata: { ...template.metadata, labels },
  spec: {
    ...template.spec,
    containers: template.spec.containers.map((container) =>
      container.name === 'shard' ? { ...container, env: environmentOf(container['env'], group, namespace) } : container,
    ),
  },
})

const policySpecOf = (template: ShardTemplate, selector: Fields): Fields => {
  const named = template.metadata?.annotations?.[EGRESS_PORTS_ANNOTATION]
  const ports = named === undefined ? BACKING_PORTS : named.split(',').map(Number)
  const component = { key: 'app.kubernetes.io/component', operator: 'In', values: ['operator', 'gateway'] }
  return {
    podSelector: { matchLabels: selector },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          { podSelector: { matchExpressions: [component] } },
          { namespaceSelector: { matchLabels: { 'bourse.dev/metrics': 'true' } } },
        ],
        ports: [{ protocol: 'TCP', port: CONTROL_PORT }],
      },
    ],
    egress: [
      { ports: [53].flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port }))) },
      { ports: ports.map((port) => ({ protocol: 'TCP', port })) },
    ],
  }
}

/** A child with its kind. */
export interface Child {
  readonly kind: ResourceKind<KubeObject>
  readonly object: AppliedObject
}

/**
 * What a pair owns: a headless Service, a NetworkPolicy, a PodDisruptionBudget and the StatefulSet of its shards. The budget
 * lets one pod go at a time, also the only one: a pod that is being deleted serves until its partitions have moved, to a
 * stand-in if need be. None names the pair as its owner: a deletion in the foreground would end the shards before the pair
 * has no open trade left.
 */
export const childrenOf = (
  pair: KubeObject,
  template: ShardTemplate,
  options: { readonly namespace: string; readonly replicas: number },
): readonly Child[] => {
  const { namespace, replicas } = options
  const group = groupOfPair(pair.metadata.name)
  const selector = { [GROUP_LABEL]: group }
  const labels = { ...template.metadata?.labels, ...selector, [TRADING_PAIR_LABEL]: pair.metadata.name }
  const metadata = { name: group, labels }
  const child = <Type extends KubeObject>(kind: ResourceKind<Type>, spec: Fields): Child => ({
    kind: kind,
    object: { apiVersion: kind.apiVersion, kind: kind.kind, metadata, spec },
  })
  return [
    child(serviceKind, {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector,
      ports: [{ name: 'control', port: CONTROL_PORT, targetPort: CONTROL_PORT, protocol: 'TCP' }],
    }),
    child(networkPolicyKind, policySpecOf(template, selector)),
    child(podDisruptionBudgetKind, { maxUnavailable: 1, selector: { matchLabels: selector } }),
    child(statefulSetKind, {
      replicas,
      serviceName: group,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      revisionHistoryLimit: 3,
      selector: { matchLabels: selector },
      template: podTemplateOf(template, labels, group, namespace),
    }),
  ]
}
