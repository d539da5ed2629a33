import type { Logger } from 'pino'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { parseBank } from '@bourse/common/resources/bank.ts'
import type { BankSpec } from '@bourse/common/resources/bank.ts'
import type { Fault } from '@bourse/common/resources/faults.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { BankResource } from '../resources/bank.ts'
import { bankKind } from '../resources/kinds.ts'
import { ensureFinalizer } from '../runtime/finalizers.ts'
import { secretKind } from '../runtime/kinds.ts'
import type { Pod, Secret } from '../runtime/kinds.ts'
import { secondTimeOf } from '../runtime/times.ts'
import type {
  ControllerSpec,
  KubeClient,
  ReconcileContext,
  ReconcileResult,
  Recorder,
  Store,
} from '../runtime/types.ts'
import { createCallbacks, PROBE_INTERVAL_MS } from './callback.ts'
import type { CallbackLook, Probe } from './callback.ts'
import { createBankDeletion } from './deletion.ts'
import { rotationDueAtMs } from './key-ring.ts'
import type { KeyRing } from './key-ring.ts'
import { askedOf, createBankKeys, SecretRefused } from './keys.ts'
import { createBankManifests, manifestOf, REFRESH_MS } from './manifest.ts'
import { BANK_FINALIZER, BANK_LABEL, DEMO_BANK, keySecretName, PAUSED_ANNOTATION } from './names.ts'
import { rotationFinding, statusOf, writeStatus } from './status.ts'
import type { Finding } from './status.ts'
import { createWebhookSecrets } from './webhooks.ts'

/** Banks reconciled at a time. */
export const BANK_WORKERS = 4

/** What the controller of banks needs. */
export interface BankControllerDeps {
  readonly client: KubeClient
  readonly recorder: Recorder
  readonly stores: {
    readonly banks: Store<BankResource>
    /** Secrets with the label `bourse.dev/bank`. */
    readonly keySecrets: Store<Secret>
    readonly bridgePods: Store<Pod>
  }
  readonly directory: Pick<
    Directory,
    'manifests' | 'putManifest' | 'removeManifest' | 'putBankKey' | 'removeBankKey' | 'bankKeys'
  >
  readonly views: Pick<Views, 'find' | 'get'>
  readonly bridgePartitions: number
  readonly clock: Clock
  readonly random: Random
  readonly probe: Probe
  readonly logger: Logger
  readonly metrics: Metrics
  /** Where the bridge calls the demo bank instead of at what its spec says. */
  readonly demoCallbackUrl: string | null
  /** Name of the Secret that the bridge's pods mount. */
  readonly webhookSecretsName: string
}

/** What the last whole look at a bank's keys left: it is not repeated while nothing can have changed. */
interface Settled {
  readonly ring: KeyRing
  readonly secretVersion: string
  readonly uid: string
  readonly generation: number | undefined
  readonly asked: string | null
  readonly atMs: number
}

const shown = (faults: readonly Fault[]): string =>
  faults.map(({ field, message }) => `${field}: ${message}`).join('; ')

/** Characters of a message that names faults; a person reads no more of them. */
const MESSAGE_LENGTH_MAX = 1_000

/** Makes the controller of `Bank` resources. Throws as its ports do, to be asked again. */
export const createBankController = (deps: BankControllerDeps): ControllerSpec => {
  const { client, recorder, stores, clock, logger } = deps
  const rotations = deps.metrics.counter('bourse_operator_bank_key_rotations_total')
  for (const cause of ['schedule', 'asked']) rotations.inc({ cause }, 0)
  const rotatedAt = deps.metrics.gauge('bourse_operator_bank_key_rotated_seconds')
  const dueAt = deps.metrics.gauge('bourse_operator_bank_key_due_seconds')
  const keys = createBankKeys({ ...deps, rotated: (cause) => rotations.inc({ cause }) })
  const webhooks = createWebhookSecrets({ client, name: deps.webhookSecretsName, bridgePods: stores.bridgePods })
  const manifests = createBankManifests(deps)
  const callbacks = createCallbacks(deps)
  const deletion = createBankDeletion({ ...deps, keys, webhooks, manifests })
  const settled = new Map<string, Settled>()

  const forget = (name: string): void => {
    settled.delete(name)
    manifests.forget(name)
    callbacks.forget(name)
    deletion.forget(name)
    rotatedAt.remove({ bank: name })
    dueAt.remove({ bank: name })
  }

  const isSettled = (bank: BankResource, spec: BankSpec, known: Settled): boolean => {
    const nowMs = clock.nowMs()
    const { uid, generation, name } = bank.metadata
    return (
      known.uid === uid &&
      known.generation === generation &&
      known.asked === askedOf(bank) &&
      stores.keySecrets.get(keySecretName(name))?.metadata.resourceVersion === known.secretVersion &&
      clock.monotonicMs() - known.atMs < REFRESH_MS &&
      nowMs < rotationDueAtMs(known.ring, spec.apiKeys.rotateAfterDays) &&
      (known.ring.previous === null || nowMs < known.ring.previous.expiresAtMs)
    )
  }

  const settleKeys = async (bank: BankResource, spec: BankSpec): Promise<KeyRing> => {
    const { name, uid, generation } = bank.metadata
    const known = settled.get(name)
    if (known !== undefined && isSettled(bank, spec, known)) return known.ring
    const { ring, secret } = await keys.settle(bank, spec)
    await webhooks.settle()
    const secretVersion = secret.metadata.resourceVersion
    settled.set(name, { ring, secretVersion, uid, generation, asked: askedOf(bank), atMs: clock.monotonicMs() })
    rotatedAt.set({ bank: name }, Math.floor(ring.rotatedAtMs / 1_000))
    dueAt.set({ bank: name }, Math.floor(rotationDueAtMs(ring, spec.apiKeys.rotateAfterDays) / 1_000))
    return ring
  }

  const refuse = async (bank: BankResource, faults: readonly Fault[]): Promise<void> => {
    const message = shown(faults).slice(0, MESSAGE_LENGTH_MAX)
    logger.warn({ bank: bank.metadata.name, faults }, 'the spec of a bank is not valid; it stays as it was')
    recorder.event(bank, { type: 'Warning', reason: 'InvalidSpec', action: 'Validate', note: message })
    await writeStatus(deps, bank, {}, [{ type: 'Ready', status: 'False', reason: 'InvalidSpec', message }])
  }

  const refuseSecret = async (bank: BankResource, { message }: SecretRefused): Promise<void> => {
    const reason = 'SecretRefused'
    recorder.event(bank, { type: 'Warning', reason, action: 'Settle', note: message })
    await writeStatus(deps, bank, {}, [{ type: 'Ready', status: 'False', reason, message }])
  }

  const pause = async (bank: BankResource): Promise<void> => {
    const madeAtMs = Date.parse(bank.status?.keyRotatedAt ?? '')
    const rotateAfterDays = bank.spec.apiKeys?.rotateAfterDays
    const message = `paused by the annotation ${PAUSED_ANNOTATION}; changes and rotations wait`
    await writeStatus(deps, bank, {}, [
      { type: 'Ready', status: 'Unknown', reason: 'Paused', message },
      ...(Number.isFinite(madeAtMs) && rotateAfterDays !== undefined
        ? [rotationFinding(madeAtMs, rotateAfterDays, null, clock.nowMs())]
        : []),
    ])
  }

  const callbackFinding = (bank: BankResource, look: CallbackLook): Finding => {
    const type = 'CallbackReachable'
    const finding: Finding = look.isReachable
      ? { type, status: 'True', reason: 'Answers', message: `the callback ${look.words}` }
      : { type, status: 'False', reason: 'NoAnswer', message: `the callback: ${look.words}` }
    const before = statusOf(bank, type)
    if (finding.status === before || (look.isReachable && before === undefined)) return finding
    recorder.event(bank, {
      type: look.isReachable ? 'Normal' : 'Warning',
      reason: look.isReachable ? 'CallbackReachable' : 'CallbackUnreachable',
      action: 'Probe',
      note: finding.message,
    })
    return finding
  }

  const bringInForce = async (
    bank: BankResource,
    spec: BankSpec,
    { fence, signal }: ReconcileContext,
  ): Promise<ReconcileResult> => {
    const { generation } = bank.metadata
    // First, since it is refused to a leader that was deposed: then the keys are not touched either.
    await manifests.store(bank, fence)
    signal.throwIfAborted()
    const ring = await settleKeys(bank, spec)
    const isDemo = bank.metadata.name === DEMO_BANK && deps.demoCallbackUrl !== null
    const callback = isDemo ? { ...spec.callback, url: deps.demoCallbackUrl } : spec.callback
    const look = await callbacks.look(bank.metadata.name, callback, signal)
    signal.throwIfAborted()
    const { rotateAfterDays } = spec.apiKeys
    const nowMs = clock.nowMs()
    const ready: Finding =
      spec.state === 'Active'
        ? {
            type: 'Ready',
            status: 'True',
            reason: 'Active',
            message: 'this spec is stored and in force within 5 seconds',
          }
        : { type: 'Ready', status: 'True', reason: 'Suspended', message: 'the bank is suspended, as its spec asks' }
    const change = {
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      keySecret: keySecretName(bank.metadata.name),
      keyRotatedAt: secondTimeOf(ring.rotatedAtMs),
    }
    await writeStatus(deps, bank, change, [
      ready,
      rotationFinding(ring.rotatedAtMs, rotateAfterDays, ring.previous, nowMs),
      callbackFinding(bank, look),
    ])
    const nextMs = Math.min(rotationDueAtMs(ring, rotateAfterDays), ring.previous?.expiresAtMs ?? Infinity) - nowMs
    return { requeueAfterMs: Math.max(1, Math.min(PROBE_INTERVAL_MS, nextMs)) }
  }

  const reconcile = async (name: string, context: ReconcileContext): Promise<ReconcileResult> => {
    const known = stores.banks.get(name)
    if (known === undefined) {
      forget(name)
      return {}
    }
    if (known.metadata.deletionTimestamp !== undefined) {
      const isOurs = known.metadata.finalizers?.includes(BANK_FINALIZER) === true
      return isOurs ? deletion.proceed(known, context) : {}
    }
    if (known.metadata.annotations?.[PAUSED_ANNOTATION] === 'true') {
      await pause(known)
      return { requeueAfterMs: PROBE_INTERVAL_MS }
    }
    const bank = await ensureFinalizer(client, bankKind, known, BANK_FINALIZER)
    if (bank === null || bank.metadata.deletionTimestamp !== undefined) return {}
    const parsed = parseBank(manifestOf(bank))
    if (!parsed.ok) {
      await refuse(bank, parsed.faults)
      return {}
    }
    try {
      return await bringInForce(bank, parsed.value.spec, context)
    } catch (error) {
      if (error instanceof SecretRefused) {
        await refuseSecret(bank, error)
        return { requeueAfterMs: PROBE_INTERVAL_MS }
      }
      if (error instanceof PortError) {
        const message = 'the directory does not answer; it is asked again'
        await writeStatus(deps, bank, {}, [{ type: 'Ready', status: 'False', reason: 'DirectoryUnavailable', message }])
      }
      throw error
    }
  }

  return {
    name: 'bank',
    workers: BANK_WORKERS,
    watches: [
      { kind: bankKind, keysOf: ({ metadata }) => [metadata.name] },
      {
        kind: secretKind,
        labelSelector: BANK_LABEL,
        keysOf: ({ metadata }) => {
          const bank = metadata.labels?.[BANK_LABEL]
          return bank === undefined ? [] : [bank]
        },
      },
    ],
    reconcile,
  }
}
