import { podKind, secretKind } from '../runtime/kinds.ts'
import type { Pod, Secret } from '../runtime/kinds.ts'
import { KubeApiError } from '../runtime/types.ts'
import type { KubeClient, Store } from '../runtime/types.ts'
import { webhookSecretsOf } from './key-ring.ts'
import { BANK_LABEL, keySecretName, REVISION_ANNOTATION } from './names.ts'

/** The one Secret from which the bridge reads every bank's webhook secrets. */
export interface WebhookSecrets {
  /** Writes it from all key Secrets when it says something else, and has the bridge's pods fetch it. */
  settle(): Promise<void>
}

/** What the webhook secrets need. */
export interface WebhookSecretsDeps {
  readonly client: KubeClient
  /** Name of the Secret. */
  readonly name: string
  readonly bridgePods: Store<Pod>
}

const isSame = (left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean =>
  Object.keys(left).length === Object.keys(right).length &&
  Object.entries(left).every(([key, value]) => right[key] === value)

const dataFrom = (secrets: readonly Secret[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    secrets.flatMap((secret) => {
      const bank = secret.metadata.labels?.[BANK_LABEL]
      const lines = webhookSecretsOf(secret)
      // A copy of a bank's Secret carries its label too.
      if (bank === undefined || secret.metadata.name !== keySecretName(bank) || lines.length === 0) return []
      return [[bank, Buffer.from(`${lines.join('\n')}\n`, 'utf8').toString('base64')]]
    }),
  )

/** The pod went or changed meanwhile: a new one mounts what is there. */
const isGone = (error: unknown): boolean => error instanceof KubeApiError && [404, 409, 422].includes(error.status)

/** Makes the keeper of the webhook secrets. */
export const createWebhookSecrets = ({ client, name, bridgePods }: WebhookSecretsDeps): WebhookSecrets => {
  const write = async (): Promise<Secret> => {
    const { items } = await client.list(secretKind, { labelSelector: BANK_LABEL })
    const data = dataFrom(items)
    const there = await client.get(secretKind, name)
    if (there !== null && isSame(there.data ?? {}, data)) return there
    return client.apply(secretKind, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        labels: {
          'app.kubernetes.io/part-of': 'bourse',
          'app.kubernetes.io/component': 'webhook-secrets',
          'app.kubernetes.io/managed-by': 'bourse-operator',
        },
      },
      data,
    })
  }

  const remind = async (pod: Pod, revision: string): Promise<void> => {
    const { annotations, uid } = pod.metadata
    if (annotations?.[REVISION_ANNOTATION] === revision) return
    const key = REVISION_ANNOTATION.replace('/', '~1')
    const change =
      annotations === undefined
        ? { op: 'add' as const, path: '/metadata/annotations', value: { [REVISION_ANNOTATION]: revision } }
        : { op: 'add' as const, path: `/metadata/annotations/${key}`, value: revision }
    try {
      await client.patch(podKind, pod.metadata.name, [{ op: 'test', path: '/metadata/uid', value: uid }, change])
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  // One at a time: a list read before another bank's Secret was written must not be written after it.
  let last: Promise<void> = Promise.resolve()
  const settle = async (): Promise<void> => {
    const { resourceVersion } = (await write()).metadata
    for (const pod of bridgePods.list()) await remind(pod, resourceVersion)
  }
  return {
    settle: () => {
      const mine = last.then(settle)
      // The next one begins whatever became of this one, which its own caller hears.
      last = mine.catch(() => undefined)
      return mine
    },
  }
}
