import { parse } from 'yaml'
import type { Labels, Rendered } from './helm.ts'

/** A container as far as the tests look at it. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly startupProbe?: unknown
  readonly readinessProbe?: unknown
  readonly livenessProbe?: unknown
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels }
  readonly env?: readonly EnvironmentVariable[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

interface EnvironmentVariable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
}

/** Reference to a Secret's keys, all of them when none is named. */
export interface SecretReference {
  readonly name: string
  readonly items?: readonly { readonly key: string }[]
  readonly optional?: boolean
}

interface Volume {
  readonly name: string
  readonly configMap?: { readonly name: string }
  readonly secret?: {
    readonly secretName: string
    readonly items?: SecretReference['items']
    readonly optional?: boolean
  }
  readonly projected?: {
    readonly defaultMode?: number
    readonly sources: readonly { readonly secret?: SecretReference }[]
  }
}

/** A pod template, with whose it is. */
export interface PodTemplate {
  readonly owner: string
  readonly labels: Labels
  readonly spec: {
    readonly serviceAccountName?: string
    readonly automountServiceAccountToken?: boolean
    readonly enableServiceLinks?: boolean
    readonly securityContext?: Readonly<Record<string, unknown>>
    readonly containers: readonly Container[]
    readonly volumes?: readonly Volume[]
  }
}

interface Workload {
  readonly metadata?: { readonly labels?: Labels }
  readonly spec: PodTemplate['spec']
}

const templateOf = (owner: string, { metadata, spec }: Workload): PodTemplate => ({
  owner,
  labels: metadata?.labels ?? {},
  spec,
})

/** The template of the shards of trading pairs, which the operator reads from a ConfigMap. */
export const shardTemplate = (objects: readonly Rendered[]): PodTemplate => {
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-shard-template'))
  const data = map?.['data'] as Labels | undefined
  return templateOf('shard-template', parse(data?.['shard-template.yaml'] ?? '', { version: '1.2' }) as Workload)
}

/** Every pod template of the chart, the one of trading shards among them. */
export const podTemplates = (objects: readonly Rendered[]): readonly PodTemplate[] => [
  ...objects.flatMap((object) => {
    const owner = `${object.kind}/${object.metadata.name}`
    if (object.kind === 'Pod') return [templateOf(owner, object as unknown as Workload)]
    if (!['Deployment', 'StatefulSet'].includes(object.kind)) return []
    return [templateOf(owner, (object['spec'] as { template: Workload }).template)]
  }),
  shardTemplate(objects),
]

/** Which Secrets a pod reads, and which keys of them. */
export const secretsOf = ({ spec }: PodTemplate): readonly SecretReference[] => [
  ...(spec.volumes ?? []).flatMap(({ secret, projected }) => [
    ...(secret === undefined
      ? []
      : [
          {
            name: secret.secretName,
            ...(secret.items && { items: secret.items }),
            ...(secret.optional && { optional: true }),
          },
        ]),
    ...(projected?.sources ?? []).flatMap((source) => (source.secret === undefined ? [] : [source.secret])),
  ]),
  ...spec.containers.flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) =>
      valueFrom?.secretKeyRef === undefined
        ? []
        : [{ name: valueFrom.secretKeyRef.name, items: [{ key: valueFrom.secretKeyRef.key }] }],
    ),
  ),
]

/** Which ConfigMaps a pod reads. */
export const configMapsOf = ({ spec }: PodTemplate): readonly string[] => [
  ...(spec.volumes ?? []).flatMap(({ configMap }) => (configMap === undefined ? [] : [configMap.name])),
  ...spec.containers.flatMap(({ envFrom = [] }) =>
    envFrom.flatMap(({ configMapRef }) => (configMapRef === undefined ? [] : [configMapRef.name])),
  ),
]

/** Whether labels have everything that a selector asks for. */
export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value)
