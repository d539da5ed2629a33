import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inRoot } from '../../../../services/common/tooling/paths.mjs'
import { run, runOk } from './shell.ts'

/** The kit that starts a cluster of its own on this machine; it lies beside the repository. */
const KIT = inRoot('..', 'shared', 'cluster')
/** What of it this suite needs. */
const MODULES = ['k8s', 'coredns', 'tools', 'ferretdb']
const BUILD_MS_MAX = 45 * 60_000
/** Says, in the kit's state folder, which process brought the cluster up. */
const MARK = 'brought-up-by'

/** A cluster that can be used, and how it is given back. */
export interface Found {
  /** With KUBECONFIG and PATH for kubectl and helm. */
  readonly env: NodeJS.ProcessEnv
  /** Runs a script of the kit; null when the cluster is not the kit's. */
  readonly kit: ((script: string, ...args: readonly string[]) => Promise<string>) | null
  giveBack(): Promise<void>
}

/** There is a kit, but it could not bring a cluster up on this machine; the message says at what it ended. */
export class NoCluster extends Error {
  override readonly name = 'NoCluster'
}

const isKitHere = (): boolean => existsSync(join(KIT, 'up'))

const answers = (env: NodeJS.ProcessEnv): boolean =>
  spawnSync('kubectl', ['version', '--request-timeout=5s'], { env, stdio: 'ignore' }).status === 0

/** Why there is no cluster to run on; undefined when there is or can be one. */
export const clusterMissing = (): string | undefined => {
  if ((process.env['KUBECONFIG'] ?? '') !== '') {
    if (spawnSync('helm', ['version'], { stdio: 'ignore' }).status !== 0) return 'no helm on the PATH'
    return answers(process.env) ? undefined : 'the cluster of KUBECONFIG does not answer kubectl'
  }
  if (!isKitHere()) return 'no cluster: set KUBECONFIG, or put the cluster kit into ../shared/cluster'
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'the cluster kit needs root on Linux'
  return undefined
}

const script =
  (env: NodeJS.ProcessEnv) =>
  (name: string, ...args: readonly string[]): Promise<string> =>
    runOk(join(KIT, name), args, { env, timeoutMs: BUILD_MS_MAX })

/** The settings that `env` prints, read by a shell. */
const kitEnvironment = async (): Promise<NodeJS.ProcessEnv> => {
  const command = `eval "$("${join(KIT, 'env')}")"; printf '%s\\0%s' "$KUBECONFIG" "$PATH"`
  const [KUBECONFIG = '', PATH = ''] = (await runOk('bash', ['-c', command])).split('\0')
  return { ...process.env, KUBECONFIG, PATH }
}

/** When a process began, in the kernel's ticks, which tells it from a later one of its number; null when there is none. */
const startOf = (pid: number): number | null => {
  try {
    // The fields after the name, which may have blanks: the state is the third of all, the start the twenty-second.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[22 - 3])
  } catch {
    return null
  }
}

/** Ends what a run of this suite that died has left. A cluster that somebody else brought up is left alone. */
const clearLeftovers = async (kit: NonNullable<Found['kit']>, mark: string): Promise<void> => {
  if (!existsSync(mark)) return
  const [pid, start] = readFileSync(mark, 'utf8').split(' ').map(Number)
  const isRunning = pid !== undefined && pid !== process.pid && startOf(pid) === start
  if (isRunning) throw new Error(`process ${pid} runs this suite on the kit's cluster`)
  try {
    await kit('down')
  } catch (error) {
    // It ends early where no pod is left to clear up after; everything runs no more by then, and its folder is all that is left.
    const { stdout, stderr } = await run(join(KIT, 'status'), [])
    if (!/^STOPPED/mu.test(stdout + stderr) || /^running/imu.test(stdout + stderr)) throw error
    rmSync(dirname(mark), { recursive: true, force: true })
  }
}

/** Brings the cluster down when this process closes its end of the pipe, in order or by dying. */
const startGuard = (env: NodeJS.ProcessEnv): ChildProcess =>
  spawn('sh', ['-c', 'cat >/dev/null; exec "$0"', join(KIT, 'down')], {
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })

const findKit = async (): Promise<Found> => {
  const bare = script(process.env)
  const kit: typeof bare = (name, ...args) =>
    bare(name, ...args).catch((error: unknown) => {
      const last = String(error).trimEnd().split('\n').at(-1) ?? ''
      throw new NoCluster(`the cluster kit could not ${name}: ${last}`, { cause: error })
    })
  await kit('build', ...MODULES)
  const env = await kitEnvironment()
  const state = dirname(dirname(env['KUBECONFIG'] ?? ''))
  const mark = join(state, MARK)
  await clearLeftovers(kit, mark)
  await kit('backing-images')
  const { code } = await run(join(KIT, 'status'), [])
  if (code === 0) return { env, kit: script(env), giveBack: () => Promise.resolve() }
  const guard = startGuard(process.env)
  // What it waits for has limits that a busy machine may miss once.
  await bare('up').catch(async () => {
    await kit('down')
    await kit('up')
  })
  writeFileSync(mark, `${process.pid} ${startOf(process.pid)}`)
  return {
    env,
    kit: script(env),
    giveBack: () =>
      new Promise((resolve) => {
        guard.once('close', () => resolve())
        guard.stdin?.end()
      }),
  }
}

/** A cluster: KUBECONFIG's, else the kit's, which is built and brought up first where need be. @throws {NoCluster} */
export const findCluster = async (): Promise<Found> => {
  if ((process.env['KUBECONFIG'] ?? '') === '') return findKit()
  const isKits = isKitHere() && (await kitEnvironment())['KUBECONFIG'] === process.env['KUBECONFIG']
  return {
    env: process.env,
    kit: isKits ? script(process.env) : null,
    giveBack: () => Promise.resolve(),
  }
}
