import { spawn } from 'node:child_process'

/** How a program ended and what it said. */
export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** How a program is run. */
export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly cwd?: string
  /** Killed after so long, ms: by then it hangs. Default five minutes. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 5 * 60_000

/** Runs a program to its end, however it ends; 124 when it took too long. */
export const run = (command: string, args: readonly string[], options: RunOptions = {}): Promise<Said> =>
  new Promise((resolve, reject) => {
    const { env = process.env, input = '', cwd, timeoutMs = TIMEOUT_MS } = options
    const child = spawn(command, args, { env, ...(cwd === undefined ? {} : { cwd }), stdio: ['pipe', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
    // A program may end before it has read everything.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(late)
      resolve({ code: isLate ? 124 : (code ?? 1), ...said })
    })
  })

/** Runs a program that must succeed; resolves with its output. @throws with what it said */
export const runOk = async (command: string, args: readonly string[], options: RunOptions = {}): Promise<string> => {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${(stderr + stdout).slice(-3_000)}`)
}
