import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { BankSpec } from '@bourse/common/resources/bank.ts'
import type { BankResource } from '../resources/bank.ts'
import { bankKind } from '../resources/kinds.ts'
import { secretKind } from '../runtime/kinds.ts'
import type { Secret } from '../runtime/kinds.ts'
import type { KubeClient, Recorder } from '../runtime/types.ts'
import { keyHashOf, newPair, readRing, ringData, rotated, rotationCause, withoutExpired } from './key-ring.ts'
import type { KeyRing, RotationCause } from './key-ring.ts'
import { BANK_LABEL, keySecretName, ROTATE_ANNOTATION } from './names.ts'
import { isSameJson } from './same.ts'

/** What the keys of banks need. */
export interface BankKeysDeps {
  readonly client: KubeClient
  readonly recorder: Recorder
  readonly directory: Pick<Directory, 'putBankKey' | 'removeBankKey' | 'bankKeys'>
  readonly clock: Clock
  readonly random: Random
  readonly rotated: (cause: RotationCause) => void
}

/** A Secret of the name of a bank's that is somebody else's, or whose key is another bank's: it is left as it is. */
export class SecretRefused extends Error {
  override readonly name = 'SecretRefused'
}

/**
 * The keys of banks: a Secret each, which is the truth, and their hashes in the directory, which follow it. No Bank owns its
 * Secret: a deletion in the foreground would remove it at once, while the webhooks of open transactions are signed with it,
 * or though it is kept.
 */
export interface BankKeys {
  /**
   * Makes the Secret, rotates it when it is time, and brings the hashes in line. The Secret is written first: a crash leaves a
   * key in it whose hash the next call puts, never a valid key that nobody has. Answers the Secret as it is now.
   * @throws {SecretRefused}
   */
  settle(bank: BankResource, spec: BankSpec): Promise<{ readonly ring: KeyRing; readonly secret: Secret }>
  /** Revokes every key of the bank, then removes its Secret, unless it is somebody else's. */
  revoke(bank: BankResource): Promise<void>
}

const labelsOf = (bank: string): Readonly<Record<string, string>> => ({
  [BANK_LABEL]: bank,
  'app.kubernetes.io/part-of': 'bourse',
  'app.kubernetes.io/component': 'bank-key',
  'app.kubernetes.io/managed-by': 'bourse-operator',
})

/** Value of the annotation that asks for a rotation; null without one. */
export const askedOf = (bank: BankResource): string | null => bank.metadata.annotations?.[ROTATE_ANNOTATION] ?? null

/** Whether a Secret is another's: a controller has it, or another bank, or it never held a key. */
const isForeign = ({ metadata: { labels, ownerReferences = [] }, data = {} }: Secret, bank: string): boolean => {
  const isControlled = ownerReferences.some(({ controller, kind }) => controller === true && kind !== bankKind.kind)
  const label = labels?.[BANK_LABEL]
  const isOther = label === undefined ? Object.keys(data).length > 0 && !('api-key' in data) : label !== bank
  return isControlled || isOther
}

const wholeSeconds = (ms: number): number => Math.floor(ms / 1_000) * 1_000

/** Makes the keys. */
export const createBankKeys = (deps: BankKeysDeps): BankKeys => {
  const { client, directory, recorder } = deps

  /** The Secret with this ring and labels; equal to what is there when nothing has to be written. */
  const secretWith = (bank: BankResource, ring: KeyRing, there: Secret): Secret => ({
    ...there,
    data: ringData(ring),
    metadata: {
      ...there.metadata,
      labels: { ...there.metadata.labels, ...labelsOf(bank.metadata.name) },
      ...(ring.rotatedFor === null
        ? {}
        : { annotations: { ...there.metadata.annotations, [ROTATE_ANNOTATION]: ring.rotatedFor } }),
    },
  })

  const create = async (bank: BankResource): Promise<{ readonly ring: KeyRing; readonly secret: Secret }> => {
    const { name } = bank.metadata
    const ring: KeyRing = {
      current: newPair(deps.random),
      rotatedAtMs: wholeSeconds(deps.clock.nowMs()),
      previous: null,
      rotatedFor: askedOf(bank),
    }
    const isRemade = bank.status?.keySecret !== undefined
    const secret = await client.create(secretKind, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: keySecretName(name),
        labels: labelsOf(name),
        ...(ring.rotatedFor === null ? {} : { annotations: { [ROTATE_ANNOTATION]: ring.rotatedFor } }),
      },
      data: ringData(ring),
    })
    recorder.event(bank, {
      type: isRemade ? 'Warning' : 'Normal',
      reason: isRemade ? 'KeySecretRemade' : 'KeyCreated',
      action: 'Create',
      note: isRemade
        ? `Secret ${keySecretName(name)} was gone: it has a new key and the old one has ended; hand it to the bank`
        : `a key and a webhook secret are in Secret ${keySecretName(name)}`,
    })
    return { ring, secret }
  }

  const report = (
    bank: BankResource,
    cause: RotationCause | null,
    ended: boolean,
    repairs: readonly string[],
  ): void => {
    const secret = keySecretName(bank.metadata.name)
    if (repairs.length > 0) {
      const note = `${repairs.join(' and ')} in Secret ${secret} was missing or unusable and is made anew; hand it to the bank`
      recorder.event(bank, { type: 'Warning', reason: 'KeyReplaced', action: 'Repair', note })
    }
    if (cause !== null) {
      deps.rotated(cause)
      const why = cause === 'asked' ? 'as asked' : 'by its age'
      const note = `rotated ${why}: Secret ${secret} has the new key, and the previous one with its end`
      recorder.event(bank, { type: 'Normal', reason: 'KeyRotated', action: 'Rotate', note })
    } else if (ended) {
      const note = `the previous key in Secret ${secret} has ended and is removed`
      recorder.event(bank, { type: 'Normal', reason: 'PreviousKeyEnded', action: 'Rotate', note })
    }
  }

  const update = async (
    bank: BankResource,
    spec: BankSpec,
    there: Secret,
  ): Promise<{ readonly ring: KeyRing; readonly secret: Secret }> => {
    const nowMs = wholeSeconds(deps.clock.nowMs())
    const { ring: found, repairs } = readRing(there, deps.random, nowMs)
    const { rotateAfterDays, overlapHours } = spec.apiKeys
    const cause = rotationCause(found, rotateAfterDays, askedOf(bank), nowMs)
    const next = cause === null ? found : rotated(found, deps.random, overlapHours, askedOf(bank), nowMs)
    const ring = withoutExpired(next, nowMs)
    const desired = secretWith(bank, ring, there)
    if (isSameJson(desired, there)) return { ring, secret: there }
    // Replaced on the very version that was read: an edit by hand, or by another leader, is never overwritten unseen.
    const secret = await client.replace(secretKind, desired)
    report(bank, cause, found.previous !== null && ring.previous === null, repairs)
    return { ring, secret }
  }

  const putHashes = async (bank: string, ring: KeyRing): Promise<void> => {
    const wanted = new Map<string, number | null>([[keyHashOf(ring.current.apiKey), null]])
    if (ring.previous !== null) wanted.set(keyHashOf(ring.previous.apiKey), ring.previous.expiresAtMs)
    const all = await directory.bankKeys()
    if (all.some((key) => key.bank !== bank && wanted.has(key.keyHash)))
      throw new SecretRefused(`a key in Secret ${keySecretName(bank)} is another bank's: remove its field api-key`)
    const kept = all.filter((key) => key.bank === bank)
    for (const [keyHash, expiresAtMs] of wanted) {
      const known = kept.find((key) => key.keyHash === keyHash)
      if (known !== undefined && known.expiresAtMs === expiresAtMs) continue
      const createdAtMs = known?.createdAtMs ?? ring.rotatedAtMs
      await directory.putBankKey({ bank, keyHash, createdAtMs, expiresAtMs })
    }
    for (const { keyHash } of kept) if (!wanted.has(keyHash)) await directory.removeBankKey(keyHash)
  }

  return {
    settle: async (bank, spec) => {
      const { name } = bank.metadata
      const there = await client.get(secretKind, keySecretName(name))
      if (there !== null && isForeign(there, name))
        throw new SecretRefused(`Secret ${keySecretName(name)} is somebody else's: rename or remove it`)
      const settled = there === null ? await create(bank) : await update(bank, spec, there)
      await putHashes(name, settled.ring)
      return settled
    },
    revoke: async ({ metadata: { name } }) => {
      const kept = (await directory.bankKeys()).filter(({ bank }) => bank === name)
      for (const { keyHash } of kept) await directory.removeBankKey(keyHash)
      const there = await client.get(secretKind, keySecretName(name))
      if (there !== null && !isForeign(there, name)) await client.delete(secretKind, keySecretName(name))
    },
  }
}
