import { createHash } from 'node:crypto'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Secret } from '../runtime/kinds.ts'
import { secondTimeOf } from '../runtime/times.ts'
import { ROTATE_ANNOTATION } from './names.ts'

/** An API key and the webhook secret made with it. */
export interface KeyPair {
  readonly apiKey: string
  readonly webhookSecret: string
}

/** What a bank's Secret says: the current pair, and the one before while it is still valid. */
export interface KeyRing {
  readonly current: KeyPair
  readonly rotatedAtMs: number
  readonly previous: (KeyPair & { readonly expiresAtMs: number }) | null
  /** Value of the rotate annotation that was acted on last. */
  readonly rotatedFor: string | null
}

/** Bytes of randomness in a key and in a secret. */
export const KEY_BYTES = 32
/** Shortest key and secret that is taken from a Secret edited by hand. */
export const KEY_LENGTH_MIN = 16
/** Longest, as the gateway reads it. */
export const KEY_LENGTH_MAX = 512

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const textAt = (secret: Secret | null, field: string): string =>
  Buffer.from(secret?.data?.[field] ?? '', 'base64')
    .toString('utf8')
    .trim()

/** Printable and without blanks: it travels in a header and as a line of a file. */
const isUsable = (text: string): boolean =>
  text.length >= KEY_LENGTH_MIN && text.length <= KEY_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text)

const timeAt = (secret: Secret, field: string): number | null => {
  const atMs = Date.parse(textAt(secret, field))
  return Number.isFinite(atMs) ? atMs : null
}

/** A new key and secret. */
export const newPair = (random: Random): KeyPair => {
  const text = (): string => Buffer.from(random.bytes(KEY_BYTES)).toString('base64url')
  return { apiKey: text(), webhookSecret: text() }
}

/** What of a Secret had to be made anew since it was missing or could not be used. */
export type Repair = 'api-key' | 'webhook-secret'

/** Reads a Secret. What is missing or unusable of the current pair is made anew and named; a broken previous pair is dropped. */
export const readRing = (
  secret: Secret,
  random: Random,
  nowMs: number,
): { readonly ring: KeyRing; readonly repairs: readonly Repair[] } => {
  const fresh = newPair(random)
  const repairs: Repair[] = []
  const taken = (field: Repair, made: string): string => {
    const text = textAt(secret, field)
    if (isUsable(text)) return text
    repairs.push(field)
    return made
  }
  const current = {
    apiKey: taken('api-key', fresh.apiKey),
    webhookSecret: taken('webhook-secret', fresh.webhookSecret),
  }
  const before = {
    apiKey: textAt(secret, 'previous-api-key'),
    webhookSecret: textAt(secret, 'previous-webhook-secret'),
  }
  const expiresAtMs = timeAt(secret, 'previous-expires-at')
  const isWhole = isUsable(before.apiKey) && isUsable(before.webhookSecret) && expiresAtMs !== null
  const rotatedAtMs = timeAt(secret, 'rotated-at') ?? nowMs
  return {
    ring: {
      current,
      rotatedAtMs,
      previous: isWhole && before.apiKey !== current.apiKey ? { ...before, expiresAtMs } : null,
      rotatedFor: secret.metadata.annotations?.[ROTATE_ANNOTATION] ?? null,
    },
    repairs,
  }
}

/** When the key is due to be rotated. */
export const rotationDueAtMs = (ring: Pick<KeyRing, 'rotatedAtMs'>, rotateAfterDays: number): number =>
  ring.rotatedAtMs + rotateAfterDays * DAY_MS

/** Why a key is rotated: its age, or somebody asked. */
export type RotationCause = 'schedule' | 'asked'

/** Whether and why the key is to be rotated now. */
export const rotationCause = (
  ring: KeyRing,
  rotateAfterDays: number,
  asked: string | null,
  nowMs: number,
): RotationCause | null => {
  if (asked !== null && asked !== ring.rotatedFor) return 'asked'
  return nowMs >= rotationDueAtMs(ring, rotateAfterDays) ? 'schedule' : null
}

/** The ring after a rotation: a new pair, the current one becomes the previous for the overlap; an older one ends. */
export const rotated = (
  ring: KeyRing,
  random: Random,
  overlapHours: number,
  asked: string | null,
  nowMs: number,
): KeyRing => ({
  current: newPair(random),
  rotatedAtMs: nowMs,
  previous: overlapHours === 0 ? null : { ...ring.current, expiresAtMs: nowMs + overlapHours * HOUR_MS },
  rotatedFor: asked,
})

/** The ring without a previous pair whose time is over. */
export const withoutExpired = (ring: KeyRing, nowMs: number): KeyRing =>
  ring.previous !== null && ring.previous.expiresAtMs <= nowMs ? { ...ring, previous: null } : ring

/** The fields of the Secret, base64. Times are in whole seconds, as {@link readRing} gives them back. */
export const ringData = ({ current, rotatedAtMs, previous }: KeyRing): Readonly<Record<string, string>> => {
  const fields: Record<string, string> = {
    'api-key': current.apiKey,
    'webhook-secret': current.webhookSecret,
    'rotated-at': secondTimeOf(rotatedAtMs),
  }
  if (previous !== null) {
    fields['previous-api-key'] = previous.apiKey
    fields['previous-webhook-secret'] = previous.webhookSecret
    fields['previous-expires-at'] = secondTimeOf(previous.expiresAtMs)
  }
  const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
  return Object.fromEntries(Object.entries(fields).map(([field, text]) => [field, encoded(text)]))
}

/** Webhook secrets of a Secret's data, the newest first; none where the Secret is broken. */
export const webhookSecretsOf = (secret: Secret): readonly string[] =>
  ['webhook-secret', 'previous-webhook-secret'].map((field) => textAt(secret, field)).filter(isUsable)

/** SHA-256 of an API key, hex: what the directory keeps. */
export const keyHashOf = (apiKey: string): string => createHash('sha256').update(apiKey, 'utf8').digest('hex')
