import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from '../../../../services/all-in-one/test/support/calls.ts'
import { isReady, NAMESPACE, untilPods, type Cluster } from './cluster.ts'
import { TAGS } from './image.ts'
import { runOk } from './shell.ts'
import { answerOf, until } from './wait.ts'

/** A metric that the API server serves and an autoscaler reads; its value is the test's. */
export interface MetricsServer {
  readonly name: string
  set(value: number): Promise<void>
  remove(): Promise<void>
}

const NAME = 'test-metrics'
const METRIC = 'trades-per-second'
const GROUP_VERSION = 'external.metrics.k8s.io/v1beta1'
const APISERVICE = 'v1beta1.external.metrics.k8s.io'
const CONTROL_PORT = 8080

/** What runs in the pod: the two answers of the external metrics API over TLS, and one door for the test. */
const PROGRAM = `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
let value = 0
const resources = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: '${GROUP_VERSION}', resources: [
  { name: '${METRIC}', singularName: '', namespaced: true, kind: 'ExternalMetricValueList', verbs: ['get'] }] }
const list = () => ({ kind: 'ExternalMetricValueList', apiVersion: '${GROUP_VERSION}', metadata: {}, items: [
  { metricName: '${METRIC}', metricLabels: {}, timestamp: new Date().toISOString(), value: String(value) }] })
const answer = (response, body, code = 200) => {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
const file = (name) => readFileSync('/srv/' + name)
createTlsServer({ key: file('tls.key'), cert: file('tls.crt') }, ({ url }, response) => {
  const isAsked = url.split('?')[0].endsWith('/namespaces/${NAMESPACE}/${METRIC}')
  if (isAsked) answer(response, list())
  else if (url.startsWith('/apis/${GROUP_VERSION}')) answer(response, resources)
  else answer(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }, 404)
}).listen(8443)
createServer(({ url }, response) => {
  if (url !== '/') value = Number(url.slice(1))
  answer(response, { value })
}).listen(${CONTROL_PORT})
`

/** A certificate for the service, signed by itself: who trusts it trusts this one alone. */
const makeCertificate = async (): Promise<{ readonly key: string; readonly certificate: string }> => {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-'))
  const [key, certificate] = [join(folder, 'tls.key'), join(folder, 'tls.crt')]
  const host = `${NAME}.${NAMESPACE}.svc`
  try {
    await runOk('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-keyout', key, '-out', certificate, '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`],
    ])
    return { key: await readFile(key, 'utf8'), certificate: await readFile(certificate, 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const labels = { app: NAME }

const objectsOf = ({ key, certificate }: Awaited<ReturnType<typeof makeCertificate>>): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: NAME },
    stringData: { 'tls.key': key, 'tls.crt': certificate, 'server.mjs': PROGRAM },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: NAME },
    spec: { selector: labels, ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: NAME, labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
      containers: [
        {
          name: 'server',
          image: `docker.io/library/bourse:${TAGS.first}`,
          imagePullPolicy: 'IfNotPresent',
          args: ['/srv/server.mjs'],
          readinessProbe: { httpGet: { path: '/', port: CONTROL_PORT }, periodSeconds: 1 },
          volumeMounts: [{ name: 'srv', mountPath: '/srv', readOnly: true }],
        },
      ],
      volumes: [{ name: 'srv', secret: { secretName: NAME } }],
    },
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: APISERVICE },
    spec: {
      group: 'external.metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { namespace: NAMESPACE, name: NAME, port: 443 },
      caBundle: Buffer.from(certificate).toString('base64'),
    },
  },
]

/** Starts the server in a pod and registers it; resolves once the API server answers with its metric. */
export const serveMetrics = async (cluster: Cluster): Promise<MetricsServer> => {
  await cluster.apply(...objectsOf(await makeCertificate()))
  const [pod] = await untilPods(cluster, `app=${NAME}`, (pods) => pods.length === 1 && pods.every(isReady))
  const metric = `/apis/${GROUP_VERSION}/namespaces/${NAMESPACE}/${METRIC}`
  await until(
    () => cluster.tryKubectl(['get', '--raw', metric]),
    ({ code }) => code === 0,
  )
  return {
    name: METRIC,
    set: async (value) => {
      const { status, text } = await answerOf(() => call(`http://${pod?.status.podIP}:${CONTROL_PORT}/${value}`))
      if (status !== 200) throw new Error(text)
    },
    remove: async () => {
      await cluster.tryKubectl([
        'delete',
        `apiservice/${APISERVICE}`,
        `pod/${NAME}`,
        `service/${NAME}`,
        `secret/${NAME}`,
      ])
    },
  }
}
