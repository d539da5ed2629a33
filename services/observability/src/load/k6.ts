import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where k6 is, or why it can not be had and how to get it. */
export type FoundK6 = { readonly path: string } | { readonly missing: string }

const HOW = 'install k6 2.2 or later (go install go.k6.io/k6/v2@latest), put it on PATH, or name it in BOURSE_K6'

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

const onPath = async (folders: string): Promise<string | null> => {
  for (const folder of folders.split(delimiter)) {
    const path = join(folder, 'k6')
    if (folder !== '' && (await isProgram(path))) return path
  }
  return null
}

/** The PATH of the cluster kit beside the repository, where there is one: it has what it built on it. */
const pathOfKit = (): Promise<string> =>
  new Promise((resolve) => {
    const kit = fileURLToPath(new URL('../../../../../shared/cluster/', import.meta.url))
    const child = spawn('bash', ['-c', 'eval "$(./env)" && printf %s "$PATH"'], {
      cwd: kit,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let path = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (path += text))
    // No kit, or one that was never built: it has no k6 then.
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(path))
  })

/** Finds k6: BOURSE_K6, then PATH, then the cluster kit. */
export const findK6 = async (env: Readonly<Record<string, string | undefined>> = process.env): Promise<FoundK6> => {
  const named = env['BOURSE_K6']
  if (named !== undefined && named !== '') {
    if (await isProgram(named)) return { path: named }
    return { missing: `BOURSE_K6 names ${named}, which is no program that can be run; ${HOW}` }
  }
  const path = (await onPath(env['PATH'] ?? '')) ?? (await onPath(await pathOfKit()))
  return path === null ? { missing: `there is no k6 here; ${HOW}` } : { path }
}
