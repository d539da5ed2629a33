import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createBourse, type Bourse } from './support/bourse.ts'
import { LIMIT_MS } from './support/limits.ts'

let bourse: Bourse

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status

describe('the telemetry door of the platform in one process', () => {
  afterEach(() => bourse.remove())

  test(
    'takes the metrics off the public port where it has one, and its token is kept like other secrets',
    async () => {
      bourse = await createBourse({ env: { BOURSE_TELEMETRY_PORT: '0' } })
      const banner = await bourse.start()
      const door = /telemetry {2,}(http\S+)/.exec(banner)?.[1] ?? ''
      expect(await statusOf(`${bourse.url}/metrics`)).toBe(404)
      expect(await (await fetch(`${door}/metrics`)).text()).toContain('bourse_http_')
      expect(await statusOf(`${door}/health/ready`)).toBe(200)
      expect(await statusOf(`${door}/control/log-level`)).toBe(401)
      const token = (await readFile(join(bourse.dataDir, 'secrets', 'control-token'), 'utf8')).trim()
      const authorization = `Bearer ${token}`
      const put = (level: string) =>
        fetch(`${door}/control/log-level`, {
          method: 'PUT',
          headers: { authorization },
          body: JSON.stringify({ level, forSeconds: 60 }),
        })
      expect(await (await put('debug')).json()).toMatchObject({ level: 'debug', returnsTo: 'info' })
      const profile = await fetch(`${door}/control/profile/cpu?seconds=1`, {
        method: 'POST',
        headers: { authorization },
      })
      expect(await profile.json()).toHaveProperty('nodes')
    },
    LIMIT_MS,
  )

  test(
    'is not there unless it is asked for: the metrics are then where the platform is',
    async () => {
      bourse = await createBourse()
      expect(await bourse.start()).not.toContain('telemetry')
      expect(await (await fetch(`${bourse.url}/metrics`)).text()).toContain('bourse_http_')
      expect(await statusOf(`${bourse.url}/control/log-level`)).toBe(404)
    },
    LIMIT_MS,
  )
})
