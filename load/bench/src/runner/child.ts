/**
 * One run of one group in a process of its own, so that no run inherits compiled code, heap or files of another.
 *
 *   child.ts MODULE-WITH-GROUPS GROUP
 */
import { pathToFileURL } from 'node:url'
import type { Group, GroupEntry } from '../row.ts'
import type { ChildMessage } from './messages.ts'

const loadGroup = async (modulePath: string, name: string): Promise<Group> => {
  const { groups } = (await import(pathToFileURL(modulePath).href)) as { groups: readonly GroupEntry[] }
  const entry = groups.find((one) => one.name === name)
  if (entry === undefined) throw new Error(`there is no group ${name}`)
  return entry.load()
}

const run = async (modulePath: string, name: string): Promise<ChildMessage> => {
  try {
    const group = await loadGroup(modulePath, name)
    const reason = (await group.unavailable?.()) ?? null
    if (reason !== null) return { type: 'unavailable', reason }
    return { type: 'measured', samples: await group.measure() }
  } catch (error) {
    // The parent tells the reader; the stack is for who mends it.
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

const [modulePath, name] = process.argv.slice(2)
const message = await run(modulePath ?? '', name ?? '')
// Whatever a group forgot to close must not keep the run from ending.
process.send?.(message, () => process.exit(message.type === 'failed' ? 1 : 0))
