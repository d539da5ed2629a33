import type { LaunchArguments } from '@bourse/all-in-one/distributed/arguments.ts'
import type { ChildProgram } from '@bourse/all-in-one/distributed/child.ts'

/** What the launcher of a watched platform is told. */
export interface LauncherPlan {
  readonly counts: LaunchArguments
  /** Variables of single programs, by their name: `gateway-0`. */
  readonly env: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A program of the watched platform. */
export interface RunningProgram {
  readonly name: string
  readonly program: ChildProgram
  readonly pid: number
  /** Of its service; a gateway's faces customers. */
  readonly url: string
  /** How often it was started again. */
  readonly restarts: number
}

/** What the launcher answers when it is asked for its programs. */
export interface ProgramsMessage {
  readonly kind: 'programs'
  readonly programs: readonly RunningProgram[]
}
