import { describe, expect, test } from '@jest/globals'
import { readConfig } from '../../src/config/read.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createRedactor } from '../../src/telemetry/redaction.ts'

const environment = {
  BOURSE_ADMIN_TOKEN: 'admin-value-0123456789-0123456789-abc',
  AUTH_JWT_SECRET: 'jwt-value-0123456789-0123456789-abcdef',
  BOURSE_BANK_DEMO_API_KEY: 'bank-value-0123456789-0123456789-abcd',
  BOURSE_MOCK_BANK_WEBHOOK_SECRETS: 'hook-one-0123456789,hook-two-0123456789',
  BOURSE_RABBITMQ_URL: 'amqp://bourse:rabbit%2Fvalue@broker:5672/bourse',
  BOURSE_MONGODB_URL: 'mongodb://bourse:mongo-value@one:27017,two:27017/bourse',
  BOURSE_REDIS_URL: 'redis://cache:6379',
}
const VALUES = /(admin|jwt|bank|rabbit|mongo)[-%/][^"]*value|-value-|hook-one|hook-two|rabbit(%2F|\/)value|mongo-value/

describe('secrets of the configuration', () => {
  test('come out of no line, wherever and however they are logged, and where servers are stays readable', () => {
    const read = readConfig(environment, 'platform')
    if ('faults' in read) throw new Error(read.faults.join())
    const lines: string[] = []
    const redactor = createRedactor(read.config.secretTexts())
    const logger = createLogger({
      name: 'x',
      level: 'info',
      redactor,
      destination: { write: (line) => void lines.push(line) },
    })
    for (const text of [...Object.values(environment), 'hook-two-0123456789', 'rabbit/value', 'mongo-value']) {
      logger.info(`it said ${text} and more`)
      logger.info({ note: [text], [text]: 1 })
      logger.error(new Error(text, { cause: new Error(`broken by ${text}`) }))
      logger.info({ config: read.config, env: environment })
    }
    expect(lines.filter((line) => VALUES.test(line))).toEqual([])
    expect(redactor.text('connect to redis://cache:6379 and two:27017/bourse failed')).toBe(
      'connect to redis://cache:6379 and two:27017/bourse failed',
    )
    expect(redactor.text(environment.BOURSE_RABBITMQ_URL)).toBe('amqp://[redacted]@broker:5672/bourse')
  })
})
