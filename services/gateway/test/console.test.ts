import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { BUILD_BYTES_MAX, BUILD_FILES_MAX } from '../src/console/build.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'"
const HTML = '<!doctype html><title>Desk</title>'
const SCRIPT = 'export const desk = 1\n'.repeat(50)
const SCRIPT_PATH = '/assets/index-DiwrgTda.js'

const folders: string[] = []
const buildOf = async (files: Readonly<Record<string, string | Buffer>>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-console-'))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** Without the help of `fetch`, which unpacks bodies and tidies paths. */
const get = (
  gateway: TestGateway['gateway'],
  path: string,
  { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Got> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: gateway.port, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
      .on('error', reject)
      .end()
  })

const FILES = {
  'index.html': HTML,
  [SCRIPT_PATH.slice(1)]: SCRIPT,
  [`${SCRIPT_PATH.slice(1)}.br`]: brotliCompressSync(SCRIPT),
  [`${SCRIPT_PATH.slice(1)}.gz`]: gzipSync(SCRIPT),
  'assets/trading-a1b2c3d4.wasm': Buffer.from([0, 97, 115, 109]),
  'assets/plain.css': 'body{}',
  'manifest.webmanifest': '{}',
  'sw.js': '//',
  'icon.svg': '<svg/>',
  'icon-192.png': Buffer.from([137, 80]),
  '.stamp': 'not for anybody',
}

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway({ consoleFolder: await buildOf(FILES) })
})
afterAll(async () => {
  await platform.gateway.stop()
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
})

describe('the console', () => {
  test('every page is its document, under its own policy and every other security header', async () => {
    for (const path of [
      '/',
      '/?from=mail',
      '/history',
      '/wallet',
      '/bank',
      '/bank/customers',
      '/bank/a/b',
      '/platform',
    ]) {
      const { status, headers, body } = await get(platform.gateway, path)
      expect([path, status, body.toString()]).toEqual([path, 200, HTML])
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'content-security-policy': POLICY,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        vary: 'accept-encoding',
      })
      expect(headers['permissions-policy']).toContain('camera=()')
      expect(headers['x-request-id']).toBeDefined()
    }
  })

  test('what is not a page or a file of the build is refused as ever, whatever its path climbs to', async () => {
    const paths = ['/bank2', '/History', '/index.html', '/.stamp', '/assets', '/assets/', '/assets/../index.html']
    const climbing = [
      '/assets/%2e%2e/%2e%2e/package.json',
      '/..%2f..%2fetc/passwd',
      '//etc/passwd',
      `${SCRIPT_PATH}.br`,
    ]
    for (const path of [...paths, ...climbing]) {
      const { status, body } = await get(platform.gateway, path)
      expect([path, status, (JSON.parse(body.toString()) as { errorCode: string }).errorCode]).toEqual([
        path,
        404,
        'NOT_FOUND',
      ])
    }
  })

  test('the API keeps its policy and its paths', async () => {
    const { status, headers } = await get(platform.gateway, '/api/v1/markets')
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers['cache-control']).toBe('no-store')
  })

  test('a hashed file of /assets never changes; everything else is asked for again', async () => {
    const of = async (path: string) => (await get(platform.gateway, path)).headers
    expect((await of(SCRIPT_PATH))['cache-control']).toBe('public, max-age=31536000, immutable')
    for (const path of ['/assets/plain.css', '/sw.js', '/manifest.webmanifest', '/icon.svg', '/icon-192.png'])
      expect([path, (await of(path))['cache-control']]).toEqual([path, 'no-cache'])
    expect((await of('/assets/trading-a1b2c3d4.wasm'))['content-type']).toBe('application/wasm')
    expect((await of('/manifest.webmanifest'))['content-type']).toBe('application/manifest+json; charset=utf-8')
    // A worker fetches under the policy that its own file came with.
    expect((await of('/sw.js'))['content-security-policy']).toBe(POLICY)
  })

  test('the smallest form that the browser takes is sent, each with a tag of its own', async () => {
    const accepting = (codings: string) =>
      get(platform.gateway, SCRIPT_PATH, { headers: { 'accept-encoding': codings } })
    const br = await accepting('gzip, deflate, br, zstd')
    expect(br.headers['content-encoding']).toBe('br')
    expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT)
    const gzip = await accepting('gzip;q=0.5, br;q=0')
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT)
    const plain = await accepting('identity')
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.body.toString()).toBe(SCRIPT)
    expect(new Set([br, gzip, plain].map(({ headers }) => headers['etag'])).size).toBe(3)
    for (const { headers, body } of [br, gzip, plain]) expect(headers['content-length']).toBe(String(body.length))
  })

  test('a browser that has the bytes is told so, without a body; HEAD says what GET would', async () => {
    const first = await get(platform.gateway, '/')
    const tag = String(first.headers['etag'])
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await get(platform.gateway, '/', { headers: { 'if-none-match': known } })
      expect([known, again.status, again.body.length]).toEqual([known, 304, 0])
      expect(again.headers).toMatchObject({ etag: tag, 'cache-control': 'no-cache', 'content-security-policy': POLICY })
      expect(again.headers['content-length']).toBeUndefined()
    }
    expect((await get(platform.gateway, '/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    const head = await get(platform.gateway, '/', { method: 'HEAD' })
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, String(HTML.length)])
    expect(head.headers['etag']).toBe(tag)
  })

  test('other methods are refused with those that are possible', async () => {
    const { status, headers } = await get(platform.gateway, '/bank', { method: 'POST' })
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD'])
  })

  test('the document of the API does not name its addresses', async () => {
    const document = (await platform.call('GET', '/openapi.json')).json as unknown as { paths: Record<string, unknown> }
    expect(Object.keys(document.paths)).not.toContain('/')
    expect(Object.keys(document.paths)).not.toContain('/bank')
  })
})

describe('bounds of the console', () => {
  let started: TestGateway | null = null
  afterEach(async () => {
    await started?.gateway.stop()
    started = null
  })

  test('its files have a rate limit of their own: neither uses up the other', async () => {
    const once = { perSecond: 0.001, burst: 1 }
    started = await startTestGateway({
      consoleFolder: await buildOf(FILES),
      limits: { consolePerAddress: { perSecond: 0.001, burst: 3 }, anonymousPerAddress: once },
    })
    const { gateway } = started
    expect((await get(gateway, '/api/v1/markets')).status).toBe(200)
    expect((await get(gateway, '/api/v1/markets')).status).toBe(429)
    for (let file = 0; file < 3; file += 1) expect((await get(gateway, SCRIPT_PATH)).status).toBe(200)
    const refused = await get(gateway, SCRIPT_PATH)
    expect([refused.status, JSON.parse(refused.body.toString())]).toEqual([
      429,
      expect.objectContaining({ errorCode: 'RATE_LIMITED' }),
    ])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  })

  test('without a build the gateway serves the API, says so once, and its pages name the remedy', async () => {
    const lines: string[] = []
    const logger = createLogger({
      name: 'test',
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    })
    started = await startTestGateway({ logger })
    const { gateway } = started
    for (const path of ['/', '/bank/customers']) {
      const { status, body } = await get(gateway, path)
      expect(status).toBe(404)
      expect((JSON.parse(body.toString()) as { message: string }).message).toContain('npm run build')
    }
    expect((await get(gateway, '/api/v1/markets')).status).toBe(200)
    expect(lines.filter((line) => line.includes('the console is not built'))).toHaveLength(1)
  })

  test('a build that is too large, or that nobody knows how to serve, keeps the gateway from starting', async () => {
    const starting = async (files: Readonly<Record<string, string | Buffer>>) =>
      startTestGateway({ consoleFolder: await buildOf({ 'index.html': HTML, ...files }) })
    await expect(starting({ 'assets/a.exe': '' })).rejects.toThrow(/nobody decided how to serve .*a\.exe/)
    await expect(starting({ 'assets/a.js.br': '' })).rejects.toThrow(/a form of \/assets\/a\.js, which is not there/)
    await expect(starting({ 'a.js': Buffer.alloc(BUILD_BYTES_MAX) })).rejects.toThrow(/more than 33554432/)
    const many = Object.fromEntries(Array.from({ length: BUILD_FILES_MAX }, (_, index) => [`${index}.js`, '']))
    await expect(starting(many)).rejects.toThrow(/has 501 files, more than 500/)
  })
})
