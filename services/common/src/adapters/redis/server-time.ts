import type { RedisConnection } from './connection.ts'

/** What Redis takes for the present, ms. @throws {PortError} when it does not answer */
export const readRedisTime = async (connection: Pick<RedisConnection, 'command'>): Promise<number> => {
  const [seconds, microseconds] = (await connection.command('TIME')) as [Buffer, Buffer]
  return Number(seconds.toString('latin1')) * 1_000 + Number(microseconds.toString('latin1')) / 1_000
}
