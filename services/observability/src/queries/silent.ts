import type { AskedQuery } from './collect.ts'

/** A query that has no data on the platform of many processes, and why. */
export interface Silent {
  readonly kind: AskedQuery['kind']
  /** As the query’s `where`. */
  readonly where: string
  readonly reason: string
  /** Whether the platform of one process has it: it is asked there, too, and must have data. */
  readonly hasDataInOneProcess: boolean
}

const DATA_FOLDER = 'only the platform of one process has a data folder; the others keep everything in MongoDB'
const MOVES = 'the API server in memory has no pods, so that no partition can be moved'
const CLAMPED = 'exists once a label has reached its bound, which is a fault by itself'

/** A query on this list that does give data fails the run: then it has to leave the list. */
export const SILENT: readonly Silent[] = [
  {
    kind: 'panel',
    where: 'bourse-broker / Free part of data disks / A',
    reason: DATA_FOLDER,
    hasDataInOneProcess: true,
  },
  { kind: 'panel', where: 'bourse-node / Free part of the disk / A', reason: DATA_FOLDER, hasDataInOneProcess: true },
  { kind: 'series', where: 'BourseDiskFilling', reason: DATA_FOLDER, hasDataInOneProcess: true },
  { kind: 'series', where: 'BourseDiskAlmostFull', reason: DATA_FOLDER, hasDataInOneProcess: true },
  { kind: 'panel', where: 'bourse-operator / Time of moves / A', reason: MOVES, hasDataInOneProcess: false },
  { kind: 'panel', where: 'bourse-node / Labels beyond their bound / A', reason: CLAMPED, hasDataInOneProcess: false },
  { kind: 'series', where: 'BourseSeriesClamped', reason: CLAMPED, hasDataInOneProcess: false },
]

/** The entry of a query on the list, if it is there. */
export const silentEntry = (query: AskedQuery, list: readonly Silent[] = SILENT): Silent | undefined =>
  list.find(({ kind, where }) => kind === query.kind && where === query.where)
