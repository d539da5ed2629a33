import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { wrapGlobals } from '../../src/world/sealed-globals.ts'

/** Uses every sealed global once and prints what was noticed. */
const originals = { setTimeout, Date }
const globals = wrapGlobals()
const used: string[] = []
const attempt = (task: () => unknown): void => {
  try {
    task()
    used.push(`not noticed: ${task.toString()}`)
  } catch {
    // The name was heard: that is what counts.
  }
}

globals.seal((name) => void used.push(name))
attempt(() => Date.now())
attempt(() => new Date())
attempt(() => Date())
attempt(() => performance.now())
attempt(() => Math.random())
attempt(() => setTimeout(() => undefined, 1))
attempt(() => setInterval(() => undefined, 1))
attempt(() => setImmediate(() => undefined))
attempt(() => fetch('http://127.0.0.1:1'))
attempt(() => crypto.randomUUID())
attempt(() => crypto.getRandomValues(new Uint8Array(1)))
attempt(() => randomUUID())
attempt(() => randomBytes(1))
const untouched = [
  new Date(Date.UTC(2020, 0, 1)).toISOString(),
  String(new Date(0) instanceof Date),
  await new Promise<string>((resolve) => process.nextTick(() => queueMicrotask(() => resolve('ticked')))),
]
globals.unseal()
const afterUnseal = [typeof Date.now(), typeof Math.random(), typeof randomUUID(), await wait(1, 'waited')]
globals.remove()
const afterRemove = [String(setTimeout === originals.setTimeout), String(Date === originals.Date)]
process.stdout.write(JSON.stringify({ used, untouched, afterUnseal, afterRemove }))
