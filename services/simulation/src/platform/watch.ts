import { pino, type Logger } from 'pino'
import type { World } from '../world/world.ts'

/** Findings beyond this are counted, not kept: one bug can say the same thing a thousand times. */
const FINDINGS_MAX = 20
/** pino's number of the level `error`. */
const LEVEL_ERROR = 50

/** Hears what the platform's processes say, and decides what of it no fault of the run explains. */
export interface Watch {
  /** The log of a process. */
  loggerOf(process: string): Logger
  /** Something is wrong that must not be, in a sentence. */
  report(finding: string): void
  findings(): readonly string[]
  /** Calls the listener when a partition stepped down or gave up. */
  onTrouble(listener: () => void): void
}

interface ErrorLine {
  readonly level: number
  readonly msg: string
  readonly process: string
  readonly partition?: string
  readonly why?: string
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string }
}

/** What a process may say aloud because the world around it is broken. Everything else is a bug. */
const isExplained = ({ msg, err, partition = '' }: ErrorLine, isFlipped: (partition: string) => boolean): boolean => {
  if (/^partition (deposed|failed)$/.test(msg)) return true
  // A damaged or removed snapshot is passed over, with its reason in `doubt`; the auditor checks the ones that are kept.
  if (msg === 'a snapshot was passed over') return true
  const isPort = err?.type === 'PortError'
  if (msg === 'a snapshot failed') return isPort || /^the snapshot read back is/.test(err?.message ?? '')
  if (msg === 'the partition broke' || msg === 'following the journal has ended')
    return isPort || (err?.type === 'RecordError' && isFlipped(partition))
  return msg === 'a consumer could not be stopped' && isPort
}

/** Makes a watch. `isFlipped` says whether the run has damaged a record of the partition of this name. */
export const createWatch = (world: World, isFlipped: (partition: string) => boolean): Watch => {
  const findings: string[] = []
  const listeners: (() => void)[] = []
  let silenced = 0

  const report = (finding: string): void => {
    if (findings.length >= FINDINGS_MAX) {
      silenced += 1
      return
    }
    findings.push(finding)
    world.trace.note(`${world.nowMs()} finding ${finding.split('\n', 1)[0] ?? ''}`)
  }
  const hear = (text: string): void => {
    const line = JSON.parse(text) as ErrorLine
    if (line.level < LEVEL_ERROR) return
    if (/^partition (deposed|failed)$/.test(line.msg)) for (const listener of listeners) listener()
    if (isExplained(line, isFlipped)) return
    const about = line.partition === undefined ? '' : ` of ${line.partition}`
    report(`${line.process}${about} said: ${line.msg}: ${line.err?.stack ?? line.err?.message ?? line.why ?? ''}`)
  }
  const root = pino({ level: 'error', base: null, timestamp: false }, { write: hear })
  return {
    loggerOf: (process) => root.child({ process }),
    report,
    findings: () => (silenced === 0 ? findings : [...findings, `and ${silenced} more`]),
    onTrouble: (listener) => void listeners.push(listener),
  }
}
