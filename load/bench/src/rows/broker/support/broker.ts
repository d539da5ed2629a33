import { rabbitMqMissing, startRabbitMq } from '@bourse/common/testkit/servers/rabbitmq.ts'

/** Why no row with a broker can be measured here, or null. */
export const brokerUnavailable = async (): Promise<string | null> => rabbitMqMissing() ?? null

/** Runs a task with a RabbitMQ node of its own, which goes away with it. */
export const withBroker = async <Value>(task: (url: string) => Promise<Value>): Promise<Value> => {
  const server = await startRabbitMq()
  try {
    return await task(server.url)
  } finally {
    await server.stop()
  }
}
