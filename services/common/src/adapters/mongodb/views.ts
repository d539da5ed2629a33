import mongoose, { type Model, type mongo } from 'mongoose'
import { PortError } from '../../ports/failure.ts'
import type { ViewModel, ViewQuery, Views, ViewWrite } from '../../ports/views.ts'
import { READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate, isDuplicateCode } from './failures.ts'
import {
  fingerprintOf,
  joinWrites,
  mapModel,
  RECORD_FIELD,
  WRITER_FIELD,
  type CollectionMapping,
  type DocumentWrite,
} from './view-mapping.ts'

type AnyModel = ViewModel<{ _id: string }>
type Stored = { _id: string } & Record<string, unknown>
type Write = mongo.AnyBulkWriteOperation<Stored> & { readonly updateOne: mongo.UpdateOneModel<Stored> }

/** A view: how its documents are stored, and the mongoose model that does it. */
interface View {
  readonly mapping: CollectionMapping
  readonly model: Model<Stored>
}

/** How far a projection is in a partition. `_id` is `<projection>/<partition>`. */
interface CursorDocument {
  readonly _id: string
  readonly projection: string
  readonly partition: number
  readonly sequence: bigint
}

/**
 * A write that an older record can't undo a newer one's with: where a newer record of the same projection and partition wrote
 * the document, nothing matches, and the upsert ends in a duplicate.
 */
const guarded = ({ id, set, setOnInsert }: DocumentWrite, writer: string, sequence: bigint): Write => {
  const mark = { [WRITER_FIELD]: writer, [RECORD_FIELD]: sequence }
  if (Object.keys(set).length === 0) {
    return { updateOne: { filter: { _id: id }, update: { $setOnInsert: { ...setOnInsert, ...mark } }, upsert: true } }
  }
  const isNewer = { $or: [{ [WRITER_FIELD]: { $ne: writer } }, { [RECORD_FIELD]: { $lte: sequence } }] }
  const onInsert = Object.keys(setOnInsert).length === 0 ? {} : { $setOnInsert: setOnInsert }
  const update = { $set: { ...set, ...mark }, ...onInsert }
  return { updateOne: { filter: { _id: id, ...isNewer }, update, upsert: true } }
}

/** Runs writes in any order; gives back those that ended in a duplicate. Any other failure is thrown. */
const runWrites = async (model: Model<Stored>, writes: readonly Write[]): Promise<readonly Write[]> => {
  try {
    await model.bulkWrite([...writes] as Parameters<typeof model.bulkWrite>[0], { ordered: false })
    return []
  } catch (error) {
    if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) throw error
    const errors = [error.writeErrors].flat()
    const isHarmless =
      errors.length > 0 &&
      errors.every(({ code, errmsg }) => isDuplicateCode(code, errmsg ?? '')) &&
      error.result.getWriteConcernError() === undefined
    if (!isHarmless) throw error
    return errors.map(({ index }) => writes[index]!)
  }
}

/**
 * Applies a record's writes to one view. A duplicate says that the document is there: a newer record's, or one that somebody made
 * at the same moment. Without the upsert the write then changes it unless it is newer.
 */
const applyWrites = async (model: Model<Stored>, writes: readonly Write[]): Promise<void> => {
  const there = await runWrites(model, writes)
  if (there.length === 0) return
  await runWrites(
    model,
    there.map(({ updateOne }) => ({ updateOne: { ...updateOne, upsert: false } })),
  )
}

const createCursors = ({ database }: MongoConnection, name: string) => {
  const cursors: mongo.Collection<CursorDocument> = database.collection(name)
  const move = (projection: string, partition: number, sequence: bigint) =>
    cursors.updateOne(
      { _id: `${projection}/${partition}` },
      { $max: { sequence }, $setOnInsert: { projection, partition } },
      { upsert: true },
    )
  return {
    read: async (projection: string, partition: number): Promise<bigint> => {
      const found = await cursors.findOne({ _id: `${projection}/${partition}` }, { maxTimeMS: READ_MS_MAX })
      return found?.sequence ?? 0n
    },
    /** Moves it forward, never back. */
    move: async (projection: string, partition: number, sequence: bigint): Promise<void> => {
      try {
        await move(projection, partition, sequence)
      } catch (error) {
        // Two made the document at one moment: it is there now.
        if (!isDuplicate(error)) throw error
        await move(projection, partition, sequence)
      }
    },
    drop: async (projection: string): Promise<void> => {
      await cursors.deleteMany({ projection })
    },
  }
}

/** What an answer says where the collection is not there yet. */
const NAMESPACE_NOT_FOUND = 26

/**
 * Makes the indexes that are not there. To look for them is a read, which waits for nobody: a dozen processes that start at once
 * would otherwise write the same indexes dozens of times.
 */
const makeIndexes = async (collection: mongo.Collection, wanted: CollectionMapping['indexes']): Promise<void> => {
  const known = await collection.indexes().catch((error: unknown) => {
    if (error instanceof mongoose.mongo.MongoServerError && error.code === NAMESPACE_NOT_FOUND) return []
    throw error
  })
  const keys = new Set(known.map(({ key }) => JSON.stringify(key)))
  for (const index of wanted) if (!keys.has(JSON.stringify(index))) await collection.createIndex(index)
}

const openViews = async (
  connection: MongoConnection,
  models: readonly AnyModel[],
): Promise<ReadonlyMap<string, View>> => {
  const views = new Map<string, View>()
  for (const { name, ...rest } of models) {
    const mapping = mapModel({ name, ...rest })
    const known = connection.mongoose.models[mapping.collection] as Model<Stored> | undefined
    const model = known ?? connection.mongoose.model<Stored>(mapping.collection, mapping.schema, mapping.collection)
    const collection = connection.database.collection(mapping.collection)
    await connection.run('write', `the indexes of view ${name}`, () => makeIndexes(collection, mapping.indexes))
    views.set(name, { mapping, model })
  }
  return views
}

/** Sorts a record's writes by view; all is checked and encoded before anything changes. */
const sortWrites = (
  viewOf: (model: AnyModel) => View,
  writes: readonly ViewWrite[],
): ReadonlyMap<View, readonly DocumentWrite[]> => {
  const byView = new Map<View, DocumentWrite[]>()
  for (const write of writes) {
    const view = viewOf(write.model)
    const list = byView.get(view) ?? []
    list.push(view.mapping.encode(write))
    byView.set(view, list)
  }
  return byView
}

/**
 * Views on MongoDB as mongoose models, for any number of folders at once: documents first, then the cursor, which never goes
 * back; each document knows the record that wrote it last, and none older undoes it. A folder that was deposed and is late harms
 * nothing. Fields that a document lacks read as null. `clear` is for when nobody folds. Views of another shape (of another
 * version of the platform) lie in collections of their own; those no version uses any more may be dropped. The connection stays
 * its owner's.
 * @throws {PortError} `unavailable` when the server can't be reached
 */
export const openMongoViews = async (
  connection: MongoConnection,
  options: { readonly models: readonly AnyModel[] },
): Promise<Views> => {
  const views = await openViews(connection, options.models)
  const shapes = [...views.values()].map(({ mapping }) => mapping.collection).sort()
  const cursors = createCursors(connection, `view_cursors_${fingerprintOf(shapes)}`)
  let isClosed = false
  const attempt = async <Value>(intent: 'read' | 'write', what: string, task: () => Promise<Value>): Promise<Value> => {
    if (isClosed) throw new PortError('closed', 'the views are closed')
    return connection.run(intent, what, task)
  }
  const viewOf = (model: AnyModel): View => {
    const view = views.get(model.name)
    if (view === undefined) throw new PortError('corrupt', `no view is called ${model.name}`)
    return view
  }

  const project: Views['project'] = async (projection, partition, sequence, writes) => {
    const writer = `${projection}/${partition}`
    const changes = [...sortWrites(viewOf, writes)].map(([{ model }, list]) =>
      applyWrites(
        model,
        joinWrites(list).map((write) => guarded(write, writer, sequence)),
      ),
    )
    // All of them end before the first failure is told, and all succeed before the cursor moves.
    const failed = (await Promise.allSettled(changes)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    await cursors.move(projection, partition, sequence)
  }

  return {
    project: (projection, partition, sequence, writes) =>
      attempt('write', `projecting record ${sequence} of partition ${partition}`, () =>
        project(projection, partition, sequence, writes),
      ),
    cursor: (projection, partition) =>
      attempt('read', `the cursor of ${projection}`, () => cursors.read(projection, partition)),
    get: <Document extends { _id: string }>(model: ViewModel<Document>, id: string) =>
      attempt('read', `view ${model.name}`, async () => {
        const { mapping, model: stored } = viewOf(model)
        const found = await stored.findOne({ _id: id }).maxTimeMS(READ_MS_MAX).lean()
        // The document has the fields of the model's schema, which is what its type says.
        return found === null ? null : (mapping.documentOf(found) as Document)
      }),
    find: <Document extends { _id: string }>(model: ViewModel<Document>, query: ViewQuery) =>
      attempt('read', `view ${model.name}`, async () => {
        const { mapping, model: stored } = viewOf(model)
        const { conditions, sort, limit } = mapping.find(query)
        const filter = (conditions.length === 0 ? {} : { $and: conditions }) as Parameters<typeof stored.find>[0]
        const found = await stored.find(filter).sort(sort).limit(limit).maxTimeMS(READ_MS_MAX).lean()
        return found.map((one) => mapping.documentOf(one) as Document)
      }),
    clear: (projection, models) =>
      attempt('write', `clearing ${projection}`, async () => {
        const collections = models.map((model) => viewOf(model).mapping.collection)
        // Cursors first: interrupted in between, they are behind the documents and not ahead of them.
        await cursors.drop(projection)
        for (const name of collections) await connection.database.collection(name).deleteMany({})
      }),
    close: async () => {
      isClosed = true
    },
  }
}
