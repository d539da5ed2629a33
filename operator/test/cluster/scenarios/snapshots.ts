import mongoose from 'mongoose'
import { pause } from '../../../../services/all-in-one/test/support/calls.ts'
import { engineData, type TradeBody } from '../../../../services/all-in-one/test/support/clients.ts'
import { isReady, type Pod } from '../support/cluster.ts'
import { untilCondition, type Described, type Installation } from '../support/installation.ts'
import { newcomer } from '../support/load.ts'
import { pairManifest } from '../support/manifests.ts'
import { killProcess } from '../support/process.ts'
import { groupSelector, servedBy, untilSpread } from '../support/shards.ts'
import { scenario, type OpenStage } from '../support/stage.ts'
import { answerOf, until } from '../support/wait.ts'

const SYMBOL = 'SNAP_USDC'
const PAIR = 'snap-usdc'
const GROUP = `pair-${PAIR}`
const TAKEN = 16
const KEEP = 4
const isDegraded = ({ type }: { readonly type: string }): boolean => type === 'Degraded'
const TAKING_MS_MAX = 15 * 60_000

interface SnapshotRow {
  readonly _id: string
  readonly partition: number
  readonly file: mongoose.mongo.ObjectId
}

/** The snapshots of a partition in the database, newest first. */
const openSnapshots = async ({ backing }: Installation, partition: number) => {
  const connection = await mongoose.createConnection(backing.mongodbUrl, { dbName: 'bourse' }).asPromise()
  const rows = connection.collection<SnapshotRow>('snapshots')
  const chunks = connection.collection<{ files_id: mongoose.mongo.ObjectId }>('snapshot_files.chunks')
  return {
    list: async (): Promise<readonly SnapshotRow[]> =>
      (await rows.find({ partition }).toArray()).sort((a, b) => b._id.localeCompare(a._id)),
    /** Overwrites the bytes of a snapshot's file by others of the same length; `restore` puts them back. */
    corrupt: async ({ file }: SnapshotRow) => {
      const [chunk] = await chunks.find({ files_id: file }).toArray()
      const bytes = (chunk as unknown as { readonly data: { readonly buffer: Uint8Array } } | undefined)?.data.buffer
      if (bytes === undefined) throw new Error('the snapshot has no chunk')
      const whole = Buffer.from(bytes)
      const put = (data: Buffer) =>
        chunks.updateOne({ files_id: file }, { $set: { data: new mongoose.mongo.Binary(data) } })
      await put(Buffer.from(whole).fill(0x5a, Math.floor(whole.length / 2)))
      return { bytes: whole.length, restore: () => put(whole) }
    },
    close: () => connection.close(),
  }
}

/** The pair's only shard dies without a word; `untilBack` waits for the next one and gives its pod. */
const kill = async ({ now: { cluster, installation } }: OpenStage) => {
  const [pod] = await cluster.list<Pod>('pod', groupSelector(GROUP))
  if (pod === undefined) throw new Error('the pair has no shard')
  const { name } = pod.metadata
  if (cluster.kit === null) await cluster.kubectl('delete', 'pod', name, '--force', '--grace-period=0')
  else await killProcess(pod)
  const containerOf = ({ status }: Pod): string | undefined => status.containerStatuses?.[0]?.containerID
  const untilBack = async (): Promise<string> => {
    await until(
      () => cluster.list<Pod>('pod', groupSelector(GROUP)),
      (pods) => pods.some((one) => isReady(one) && containerOf(one) !== containerOf(pod)),
    )
    await until(
      () => servedBy(cluster, installation, GROUP),
      (served) => served.length === 1,
    )
    return name
  }
  return { untilBack }
}

/** Snapshots are taken on schedule, pruned, and one that is broken is found out. */
export const declareSnapshots = (stage: OpenStage): void =>
  scenario(stage, `${TAKEN} snapshots, keep ${KEEP}, one chunk corrupted`, async () => {
    const { cluster, installation } = stage.now
    await cluster.apply(pairManifest({ symbol: SYMBOL, partitions: 1, snapshots: { intervalSeconds: 1, keep: KEEP } }))
    await untilCondition(cluster, 'tp', PAIR, 'Ready', 'True')
    const trader = await newcomer(installation.url, 'snapshots')
    const open = () => trader.open({ asset: SYMBOL, margin: '5', leverage: 1 })
    await until(open, ({ status }) => status === 200)
    const [served] = await untilSpread(cluster, installation, GROUP, { shards: 1, partitions: 1 })
    const snapshots = await openSnapshots(installation, served?.number ?? 0)
    const corrupted: Awaited<ReturnType<typeof snapshots.corrupt>>[] = []
    try {
      const seen = new Set<string>()
      let most = 0
      const endMs = performance.now() + TAKING_MS_MAX
      while (seen.size < TAKEN && performance.now() < endMs) {
        const opened = await answerOf(open)
        if (opened.status === 200) await answerOf(() => trader.close(engineData<TradeBody>(opened).tradeId))
        const rows = await answerOf(snapshots.list)
        rows.forEach(({ _id }) => seen.add(_id))
        most = Math.max(most, rows.length)
        await pause(500)
      }
      if (seen.size < TAKEN) throw new Error(`only ${seen.size} snapshots in ${TAKING_MS_MAX} ms`)
      // A pause in the schedule, so that the corrupted one stays the newest.
      await cluster.kubectl(
        'patch',
        'tp',
        PAIR,
        '--type=merge',
        '-p',
        '{"spec":{"snapshots":{"intervalSeconds":3600}}}',
      )
      await untilCondition(cluster, 'tp', PAIR, 'Ready', 'True')
      const kept = await until(
        () => snapshots.list(),
        (rows) => rows.length <= KEEP,
      )
      const corruptNewest = async (): Promise<string> => {
        const [newest] = await snapshots.list()
        if (newest === undefined) throw new Error('no snapshot is left')
        corrupted.push(await snapshots.corrupt(newest))
        const { untilBack } = await kill(stage)
        // One that was ordered before the pause may have come late.
        const isNewest = (await snapshots.list())[0]?._id === newest._id
        const back = await untilBack()
        return isNewest ? back : corruptNewest()
      }
      const pod = await corruptNewest()
      await until(open, ({ status }) => status === 200)
      await until(async () => (await cluster.kubectl('logs', pod)).includes('a snapshot was passed over'), Boolean)
      // For a moment it may say that a snapshot failed: one was ordered as the shard died.
      const degraded = await until(
        async () => (await cluster.object<Described>('tp', PAIR))?.status?.conditions?.find(isDegraded),
        (condition) => condition?.status === 'True' && condition.reason === 'SnapshotCorrupt',
      )
      return (
        `${seen.size} taken, at most ${most} and then ${kept.length} kept, the newest (${corrupted.at(-1)?.bytes} bytes) ` +
        `corrupted: passed over by the shard that begins anew, trading goes on, reported as ` +
        `"${degraded?.reason}: ${degraded?.message}"`
      )
    } finally {
      // What is verified at the end is what the platform did.
      for (const { restore } of corrupted) await restore()
      await snapshots.close()
    }
  })
