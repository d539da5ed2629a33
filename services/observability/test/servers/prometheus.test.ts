import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { alertmanagerMissing, startAlertmanager } from '../../src/servers/alertmanager.ts'
import { pause } from '../../src/servers/program.ts'
import { prometheusMissing, startPrometheus } from '../../src/servers/prometheus.ts'
import { until } from '../until.ts'

const LIMIT_MS = 300_000
/** How long an alert waits for others that may silence it. */
const GROUP_WAIT_MS = 2_000

/** Metrics of a part that reports one number. */
const serveNumber = async (read: () => number): Promise<{ url: string; server: Server }> => {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(`level{kind="water"} ${read()}\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

const rules = (alert: string, expr: string): string =>
  JSON.stringify({
    groups: [{ name: 'levels', rules: [{ alert, expr, labels: { severity: 'critical' }, annotations: {} }] }],
  })

describeUnless(prometheusMissing() ?? alertmanagerMissing(), 'Prometheus and Alertmanager of one’s own', () => {
  let folder = ''
  let level = 1
  let part: Awaited<ReturnType<typeof serveNumber>>
  const stops: (() => Promise<void>)[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-prometheus-'))
    level = 1
    part = await serveNumber(() => level)
  })
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
    part.server.closeAllConnections()
    await new Promise((resolve) => part.server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  })

  const start = async (options: Partial<Parameters<typeof startPrometheus>[0]>) => {
    const prometheus = await startPrometheus({
      folder: join(folder, 'prometheus'),
      targets: [{ job: 'dam', url: part.url, labels: { namespace: 'valley', pod: 'dam-0' } }],
      scrapeIntervalMs: 200,
      ...options,
    })
    stops.push(prometheus.stop)
    return prometheus
  }

  test(
    'what a target shows is answered with the labels of the scrape, and a query that is none is refused',
    async () => {
      const prometheus = await start({})
      const [sample] = await until(
        () => prometheus.query('level'),
        (samples) => samples.length > 0,
      )
      expect(sample).toMatchObject({
        metric: { job: 'dam', namespace: 'valley', pod: 'dam-0', kind: 'water' },
        value: 1,
      })
      expect(await prometheus.query('scalar(vector(2)) / 0')).toEqual([{ metric: {}, value: Infinity }])
      await expect(prometheus.query('level{')).rejects.toThrow('Prometheus refused')
    },
    LIMIT_MS,
  )

  test(
    'an alert fires to the receiver with its labels, and is told as resolved when it is over',
    async () => {
      const alertmanager = await startAlertmanager({ folder: join(folder, 'alertmanager'), groupWaitMs: 100 })
      stops.push(alertmanager.stop)
      const prometheus = await start({ rulesText: rules('Flood', 'level > 5'), alertmanagerUrl: alertmanager.url })
      await until(
        () => prometheus.query('level'),
        (samples) => samples.length > 0,
      )
      expect(await prometheus.alerts()).toEqual([])
      level = 9
      const [firing] = await until(
        () => prometheus.alerts(),
        (alerts) => alerts.length > 0,
      )
      expect(firing).toMatchObject({ name: 'Flood', state: 'firing', labels: { severity: 'critical', pod: 'dam-0' } })
      const told = async () => alertmanager.notifications().map(({ name, status }) => `${name} ${status}`)
      await until(told, (lines) => lines.includes('Flood firing'))
      level = 1
      await until(told, (lines) => lines.includes('Flood resolved'))
    },
    LIMIT_MS,
  )

  test(
    'a silent cause keeps what follows from it from being told',
    async () => {
      const alertmanager = await startAlertmanager({
        folder: join(folder, 'alertmanager'),
        groupWaitMs: GROUP_WAIT_MS,
        inhibitRules: [{ source_matchers: ['alertname="Cause"'], target_matchers: ['alertname="Effect"'] }],
      })
      stops.push(alertmanager.stop)
      const both = JSON.stringify({
        groups: [
          {
            name: 'levels',
            rules: ['Cause', 'Effect'].map((alert) => ({ alert, expr: 'level == 1', labels: {}, annotations: {} })),
          },
        ],
      })
      const prometheus = await start({ rulesText: both, alertmanagerUrl: alertmanager.url })
      await until(
        async () => alertmanager.notifications(),
        (all) => all.some(({ name }) => name === 'Cause'),
      )
      expect((await prometheus.alerts()).map(({ name }) => name).sort()).toEqual(['Cause', 'Effect'])
      await pause(2 * GROUP_WAIT_MS)
      expect(alertmanager.notifications().map(({ name }) => name)).not.toContain('Effect')
    },
    LIMIT_MS,
  )

  test(
    'takes other targets and rules while it runs, and refuses rules that are none',
    async () => {
      const prometheus = await start({ rulesText: rules('Low', 'level < 0') })
      await prometheus.reload({
        targets: [{ job: 'dam', url: part.url, labels: { pod: 'dam-1' } }],
        rulesText: rules('There', 'level{pod="dam-1"} > 0'),
      })
      await until(
        () => prometheus.alerts(),
        (alerts) => alerts.some(({ name }) => name === 'There'),
      )
      await expect(prometheus.reload({ rulesText: rules('Broken', 'level >') })).rejects.toThrow('Prometheus refused')
    },
    LIMIT_MS,
  )
})
