import mongoose from 'mongoose'
import type { MongoConnection } from './connection.ts'

/**
 * What MongoDB takes for the present, ms; null of a server that tells no time. Stand-ins know the command's old name only.
 * @throws {PortError} when it does not answer
 */
export const readMongoTime = async ({ database, run }: MongoConnection): Promise<number | null> => {
  const admin = database.client.db('admin')
  for (const command of [{ hello: 1 }, { isMaster: 1 }]) {
    const localTime = await run('read', 'the time', async () => {
      try {
        const answer: Readonly<Record<string, unknown>> = await admin.command(command)
        return answer['localTime']
      } catch (error) {
        if (error instanceof mongoose.mongo.MongoServerError) return null
        throw error
      }
    })
    if (localTime instanceof Date) return localTime.getTime()
  }
  return null
}
