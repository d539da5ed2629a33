import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { openRabbitBus, type RabbitBus } from '@bourse/common/adapters/rabbitmq/bus.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { LIMIT_MS } from '../support/limits.ts'

const HERE = partitionNumber('ledger', 3)
const COMMAND = fileURLToPath(new URL('../../src/commands/dlq.ts', import.meta.url))

describeUnless(rabbitMqMissing(), 'npm run dlq', () => {
  let server: RabbitMqServer
  let bus: RabbitBus
  const clock = createSystemClock()
  beforeAll(async () => {
    server = await startRabbitMq()
    bus = await openRabbitBus({ url: server.url, clock, logger: pino({ level: 'silent' }), prefix: 'bourse' })
  }, LIMIT_MS)
  afterAll(async () => {
    await bus.close()
    await server.stop()
  }, LIMIT_MS)

  const dlq = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const env = { ...process.env, BOURSE_RABBITMQ_URL: server.url }
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--no-warnings', COMMAND, ...args], {
        env,
      })
      return { code: 0, out: stdout, err: stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { code, out: stdout, err: stderr }
    }
  }

  test(
    'lists, shows and sends again, for people and for programs',
    async () => {
      expect(await dlq('list')).toMatchObject({ code: 0, out: 'no dead letters\n' })
      const bad = await bus.consume(HERE, (delivery) => delivery.deadLetter('no header'), { inFlightMax: 10 })
      for (const text of ['one', 'two', 'three'])
        await bus.send(HERE, {
          type: 'effect',
          sender: partitionNumber('bridge', 1),
          sequence: 7n,
          body: Buffer.from(text),
        })
      await until(async () => (await bus.deadLetterCount()) === 3)
      await bad.stop()

      const listed = await dlq('list')
      expect(listed.code).toBe(0)
      expect(listed.out.match(/ledger\/3 .*effect .*no header/g)).toHaveLength(3)
      const { total, letters } = JSON.parse((await dlq('list', '--json')).out) as {
        total: number
        letters: { id: string; body: string }[]
      }
      expect([total, letters.map(({ body }) => Buffer.from(body, 'base64').toString())]).toEqual([
        3,
        ['one', 'two', 'three'],
      ])
      const shown = await dlq('show', letters[1]!.id)
      expect(shown.out).toMatch(/sender +bridge\/1/)
      expect(shown.out).toContain(Buffer.from('two').toString('hex'))

      const seen: string[] = []
      const good = await bus.consume(
        HERE,
        (delivery) => (seen.push(Buffer.from(delivery.message.body).toString()), delivery.acknowledge()),
        { inFlightMax: 10 },
      )
      expect(await dlq('resend', letters[1]!.id)).toMatchObject({ code: 0, out: `${letters[1]!.id} was sent again\n` })
      await until(async () => seen.length === 1)
      expect(await dlq('resend', letters[1]!.id)).toMatchObject({ code: 1 })
      expect(await dlq('resend', '--all')).toMatchObject({ code: 0 })
      await until(async () => seen.length === 3)
      expect(seen).toEqual(['two', 'one', 'three'])
      await until(async () => (await bus.deadLetterCount()) === 0)
      await good.stop()
    },
    LIMIT_MS,
  )

  test(
    'says what is missing, never the password',
    async () => {
      expect(await dlq('resend')).toMatchObject({ code: 1, err: 'name one dead letter, or say --all\n' })
      expect(await dlq('show', 'nothing')).toMatchObject({ code: 1, err: 'there is no dead letter nothing\n' })
      const refused = await dlq('list', '--url', server.url.replace('bourse-test', 'a-wrong-password'))
      expect(refused.code).toBe(1)
      expect(refused.err).toMatch(/ACCESS_REFUSED/)
      expect(refused.err).not.toContain('a-wrong-password')
    },
    LIMIT_MS,
  )
})
