import { pino } from 'pino'
import { openMongo, type MongoConnection, type MongoOptions } from '../../../src/adapters/mongodb/connection.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import type { MongoServer } from '../../../src/testkit/servers/mongodb.ts'

/** The real clock. */
export const clock = createSystemClock()
/** A logger that keeps quiet. */
export const logger = pino({ level: 'silent' })

/** A busy machine, which may stand still for seconds, is not taken for a lost server. */
const PATIENT = { answerMsMax: 100_000, serverSelectionMsMax: 100_000, connectMsMax: 100_000 } as const

let databases = 0

/** A connection to a fresh database of a server; with a URL, through whatever stands there. */
export const connect = (server: MongoServer, options: Partial<MongoOptions> = {}): Promise<MongoConnection> => {
  databases += 1
  return openMongo({
    url: server.urlOf(`bourse_test_${process.pid}_${databases}`),
    clock,
    logger,
    ...PATIENT,
    ...options,
  })
}

/** Another connection to the same database. */
export const connectAgain = (
  server: MongoServer,
  connection: MongoConnection,
  options: Partial<MongoOptions> = {},
): Promise<MongoConnection> =>
  openMongo({ url: server.urlOf(connection.database.databaseName), clock, logger, ...PATIENT, ...options })

/** Drops the database of a connection and closes it. */
export const discard = async (connection: MongoConnection): Promise<void> => {
  await connection.database.dropDatabase()
  await connection.close()
}
