import { createServer, type IncomingMessage } from 'node:http'
import { mkdir, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startChild } from '@bourse/common/testkit/servers/child.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { answering, clock, findProgram } from './program.ts'

/** What keeps alerts from being told while another fires, as Alertmanager's configuration has it. */
export interface InhibitRule {
  readonly source_matchers: readonly string[]
  readonly target_matchers: readonly string[]
  readonly equal?: readonly string[]
}

/** One alert as the person on call was told of it. */
export interface Notification {
  readonly name: string
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Unix time of the receipt, ms. */
  readonly receivedAtMs: number
}

/** How an Alertmanager is set up. */
export interface AlertmanagerOptions {
  /** Its own: configuration, data and log stand there. */
  readonly folder: string
  /** How long alerts of a group wait for one another before they are told, ms. */
  readonly groupWaitMs: number
  readonly inhibitRules?: readonly InhibitRule[]
}

/** A running Alertmanager with a receiver of ours. */
export interface AlertmanagerServer {
  readonly url: string
  /** What the receiver was told so far, in order. */
  notifications(): readonly Notification[]
  /** Ends both; its folder stays. Once more is no error. */
  stop(): Promise<void>
}

/** Notifications kept; the oldest go first. */
export const NOTIFICATIONS_MAX = 10_000

/** Why no Alertmanager can be started here and how to change that, or undefined when one can. */
export const alertmanagerMissing = (): string | undefined =>
  findProgram('BOURSE_ALERTMANAGER', 'prometheus-alertmanager') === undefined
    ? 'Alertmanager is not installed (apt-get install prometheus-alertmanager, or BOURSE_ALERTMANAGER names its program)'
    : undefined

interface Told {
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved'
    readonly labels: Record<string, string>
    readonly annotations: Record<string, string>
  }[]
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** The person on call: takes what Alertmanager posts and writes it down. */
const startReceiver = async () => {
  const received: Notification[] = []
  const take = async (request: IncomingMessage): Promise<void> => {
    const { alerts } = JSON.parse(await bodyOf(request)) as Told
    const receivedAtMs = clock.nowMs()
    for (const { status, labels, annotations } of alerts)
      received.push({ name: labels['alertname'] ?? '', status, labels, annotations, receivedAtMs })
    if (received.length > NOTIFICATIONS_MAX) received.splice(0, received.length - NOTIFICATIONS_MAX)
  }
  const server = createServer((request, response) => {
    take(request).then(
      () => response.writeHead(200).end(),
      // Alertmanager says why in its log and repeats it.
      () => response.writeHead(400).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    notifications: (): readonly Notification[] => [...received],
    stop: async (): Promise<void> => {
      if (!server.listening) return
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const configOf = (options: AlertmanagerOptions, receiverUrl: string): string =>
  stringify({
    route: {
      receiver: 'on-call',
      group_by: ['alertname'],
      group_wait: `${options.groupWaitMs}ms`,
      group_interval: `${Math.max(options.groupWaitMs, 200)}ms`,
      repeat_interval: '1h',
    },
    receivers: [{ name: 'on-call', webhook_configs: [{ url: receiverUrl, send_resolved: true }] }],
    inhibit_rules: options.inhibitRules ?? [],
  })

/**
 * Starts an Alertmanager of one's own on a free port of the loopback, without a cluster, and a receiver that keeps what it is
 * told. It is ready when this resolves, and ends with this process.
 * @throws when none is installed (`alertmanagerMissing` says so before), or it refuses its configuration
 */
export const startAlertmanager = async (options: AlertmanagerOptions): Promise<AlertmanagerServer> => {
  const command = findProgram('BOURSE_ALERTMANAGER', 'prometheus-alertmanager')
  if (command === undefined) throw new Error(alertmanagerMissing())
  const { folder } = options
  await mkdir(folder, { recursive: true })
  const receiver = await startReceiver()
  await writeFile(join(folder, 'alertmanager.yaml'), configOf(options, receiver.url))
  const url = `http://127.0.0.1:${await freePort()}`
  const child = startChild({
    command,
    args: [
      `--config.file=${join(folder, 'alertmanager.yaml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--cluster.listen-address=',
    ],
    cwd: folder,
    logFile: join(folder, 'alertmanager.log'),
  })
  const stop = async (): Promise<void> => {
    await child.kill()
    await receiver.stop()
  }
  try {
    await answering({ title: 'Alertmanager', url: `${url}/-/ready`, ...child })
  } catch (error) {
    await stop()
    throw error
  }
  return { url, notifications: receiver.notifications, stop }
}
