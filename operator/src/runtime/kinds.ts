import type { KubeObject, ResourceKind } from './types.ts'

/** The fields of a Pod that controllers look at. */
export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly [field: string]: unknown }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly containerID?: string
      readonly ready?: boolean
      readonly restartCount?: number
    }[]
  }
}

/** The fields of a Node that controllers look at. */
export interface Node extends KubeObject {
  /** `unschedulable`: cordoned, it takes no new pods. */
  readonly spec?: { readonly unschedulable?: boolean; readonly [field: string]: unknown }
}

/** The fields of a StatefulSet that controllers look at. */
export interface StatefulSet extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly [field: string]: unknown }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
  }
}

/** A Secret; values are base64. */
export interface Secret extends KubeObject {
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
}

/** A ConfigMap. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** A Lease; times are RFC 3339 with exactly six digits of a second. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** An object with a spec that is written and not read. */
export interface SpecObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>
}

export const podKind: ResourceKind<Pod> = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' }
export const nodeKind: ResourceKind<Node> = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', isClusterScoped: true }
export const serviceKind: ResourceKind<SpecObject> = { apiVersion: 'v1', kind: 'Service', plural: 'services' }
export const secretKind: ResourceKind<Secret> = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets' }
export const configMapKind: ResourceKind<ConfigMap> = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
export const eventKind: ResourceKind<KubeObject> = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' }
export const leaseKind: ResourceKind<Lease> = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' }
export const statefulSetKind: ResourceKind<StatefulSet> = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
}
export const podDisruptionBudgetKind: ResourceKind<SpecObject> = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
}
export const networkPolicyKind: ResourceKind<SpecObject> = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
}
