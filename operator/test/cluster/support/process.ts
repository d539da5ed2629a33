import { readdir, readFile } from 'node:fs/promises'
import type { Cluster, KubeObject, Pod } from './cluster.ts'
import { answerOf } from './wait.ts'

/** The process of a container on this machine, found by the container's id in its control group. */
export const pidOf = async (pod: Pod): Promise<number> => {
  const id = pod.status.containerStatuses?.[0]?.containerID?.split('//')[1] ?? '-'
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is looked at.
    if ((await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')).includes(id)) return Number(pid)
  }
  throw new Error(`no process of ${pod.metadata.name} on this machine`)
}

/** `kill -9` of a pod's process; only where the node is this machine. */
export const killProcess = async (pod: Pod): Promise<void> => void process.kill(await pidOf(pod), 'SIGKILL')

/** The operator's lease. */
export interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string
    readonly leaseTransitions?: number
    readonly leaseDurationSeconds?: number
    readonly renewTime?: string
  }
}

/** The operator's lease as it is. */
export const leaseOf = async (cluster: Cluster): Promise<Lease> => {
  const lease = await cluster.object<Lease>('lease', 'bourse-operator')
  if (lease === null) throw new Error('there is no lease bourse-operator')
  return lease
}

/** The pod of the operator that leads, and the name under which this process of it does. */
export const leaderOf = (cluster: Cluster): Promise<{ readonly pod: Pod; readonly identity: string }> =>
  answerOf(async () => {
    const identity = (await leaseOf(cluster)).spec.holderIdentity ?? ''
    const pods = await cluster.list<Pod>('pod', 'app.kubernetes.io/component=operator')
    const pod = pods.find(({ metadata }) => identity.startsWith(metadata.name))
    // A machine that stood still may have cost the leader its lease: another takes it.
    if (pod === undefined) throw new Error(`the lease is held by ${identity}, which is no pod`)
    return { pod, identity }
  })
