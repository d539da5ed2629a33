import { inRoot, root } from '../../../../services/common/tooling/paths.mjs'
import type { Cluster } from './cluster.ts'
import { run, runOk } from './shell.ts'

/** Names of an image under two tags; fixed, so that a machine keeps one of each and not one of each run. */
export const TAGS = { first: 'cluster-test', next: 'cluster-test-next' } as const
const REPOSITORY = 'docker.io/library/bourse'
const BUILD_MS_MAX = 15 * 60_000

/** Which program puts an image into a cluster that is not the kit's. */
const load = async (cluster: Cluster, image: string): Promise<void> => {
  const { env } = cluster
  const context = (await runOk('kubectl', ['config', 'current-context'], { env })).trim()
  const [command, ...args] = context.startsWith('kind-')
    ? ['kind', 'load', 'docker-image', image, '--name', context.slice('kind-'.length)]
    : ['minikube', '--profile', context, 'image', 'load', image]
  await runOk(command ?? '', args, { env, timeoutMs: BUILD_MS_MAX })
}

/** Builds the image of a tree (default: this one) and puts it into the cluster under each of `tags`. */
export const provideImage = async (cluster: Cluster, tags: readonly string[], tree: string = root): Promise<void> => {
  const names = tags.map((tag) => `${REPOSITORY}:${tag}`)
  const { env, kit } = cluster
  if (kit !== null) {
    await kit('build-image', ...names.flatMap((name) => ['--tag', name]), tree)
    await kit('load-image', ...names)
    return
  }
  await runOk('docker', ['build', ...names.flatMap((name) => ['--tag', name]), tree], { env, timeoutMs: BUILD_MS_MAX })
  for (const name of names) await load(cluster, name)
}

/** Checks out the chart and everything else as of a commit into a folder; null when history does not have it. */
export const checkOut = async (commit: string, folder: string): Promise<boolean> =>
  (await run('git', ['-C', inRoot(), 'worktree', 'add', '--detach', folder, commit])).code === 0
