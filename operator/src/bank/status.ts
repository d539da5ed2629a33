import type { Clock } from '@bourse/common/ports/clock.ts'
import type { BankResource, BankResourceStatus } from '../resources/bank.ts'
import { bankKind } from '../resources/kinds.ts'
import { conditionOf, setCondition } from '../runtime/conditions.ts'
import { secondTimeOf } from '../runtime/times.ts'
import type { Condition, KubeClient } from '../runtime/types.ts'
import { rotationDueAtMs } from './key-ring.ts'
import type { KeyRing } from './key-ring.ts'
import { isSameJson } from './same.ts'

/** A condition to be set; its generation and time are filled in. */
export type Finding = Pick<Condition, 'status' | 'reason' | 'message'> & {
  readonly type: 'Ready' | 'KeyRotationDue' | 'CallbackReachable'
}

/** A status with these findings; conditions that none is about stay as they are. */
export const statusWith = (
  bank: BankResource,
  change: Partial<Omit<BankResourceStatus, 'conditions'>>,
  findings: readonly Finding[],
  nowMs: number,
): BankResourceStatus => {
  const { generation } = bank.metadata
  const { openTransactions: _, ...before } = bank.status ?? {}
  const conditions = findings.reduce<readonly Condition[]>(
    (list, finding) =>
      setCondition(
        list,
        { ...finding, ...(generation === undefined ? {} : { observedGeneration: generation }) },
        nowMs,
      ),
    before.conditions ?? [],
  )
  return { ...before, ...change, conditions }
}

/** Writes a status when it is another than the one that is there. */
export const writeStatus = async (
  deps: { readonly client: KubeClient; readonly clock: Clock },
  bank: BankResource,
  change: Partial<Omit<BankResourceStatus, 'conditions'>>,
  findings: readonly Finding[],
): Promise<void> => {
  const status = statusWith(bank, change, findings, deps.clock.nowMs())
  if (isSameJson(status, bank.status)) return
  const { apiVersion, kind, metadata } = bank
  await deps.client.applyStatus(bankKind, { apiVersion, kind, metadata: { name: metadata.name }, status })
}

/** What a condition of the bank says now. */
export const statusOf = (bank: BankResource, type: Finding['type']): Condition['status'] | undefined =>
  conditionOf(bank.status?.conditions, type)?.status

/** Whether a rotation is due that was not carried out; rotations are carried out as soon as they are due. */
export const rotationFinding = (
  rotatedAtMs: number | null,
  rotateAfterDays: number,
  previous: KeyRing['previous'],
  nowMs: number,
): Finding => {
  const type = 'KeyRotationDue'
  if (rotatedAtMs === null) return { type, status: 'Unknown', reason: 'NoKey', message: 'there is no key yet' }
  const dueAtMs = rotationDueAtMs({ rotatedAtMs }, rotateAfterDays)
  const due = secondTimeOf(dueAtMs)
  if (nowMs >= dueAtMs) return { type, status: 'True', reason: 'Overdue', message: `the key was due at ${due}` }
  if (previous === null) return { type, status: 'False', reason: 'NotDue', message: `the next rotation is at ${due}` }
  const ends = secondTimeOf(previous.expiresAtMs)
  const message = `the previous key is valid until ${ends}; the next rotation is at ${due}`
  return { type, status: 'False', reason: 'Overlap', message }
}
