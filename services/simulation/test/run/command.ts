import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a command ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The last line, read as JSON. */
  last(): unknown
}

/** Longest output that is kept, bytes. */
const OUTPUT_BYTES_MAX = 64 * 1_048_576

/** Runs a command of the simulation in a process of its own, as npm does. */
export const command = (name: 'simulate' | 'mutants', ...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const file = fileURLToPath(new URL(`../../src/commands/${name}.ts`, import.meta.url))
    const node = ['--disable-warning=ExperimentalWarning', file, ...args]
    execFile(process.execPath, node, { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      const last = (): unknown => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr, last })
    })
  })
