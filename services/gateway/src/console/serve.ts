import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { ApiError } from '../http/api-error.ts'
import type { RateLimit } from '../config.ts'
import type { RateGate } from '../http/rate-gate.ts'
import type { Answer } from '../http/route.ts'
import { CODINGS, type Coding, type ConsoleBuild, type ConsoleFile } from './build.ts'
import { DOCUMENT, isPage } from './pages.ts'

/*
 * The console is no part of the API: its addresses are no routes and stand in no OpenAPI document, which is for programs; their
 * clients would else have a call for every picture. They share with the routes what every answer shares: request id, security
 * headers, bounds, telemetry under one name, refusals in words.
 */

/** Serves what a browser needs to show the console: its pages and their files. */
export interface ConsoleDoor {
  /** Whether a path is the console's: a page, or a file of the build. */
  has(path: string): boolean
  /**
   * The page or file.
   * @throws {ApiError} `METHOD_NOT_ALLOWED`, `RATE_LIMITED`, or `NOT_FOUND` while the console is not built
   */
  answer(request: IncomingMessage, path: string): Promise<Answer>
}

/** Name of the console among the routes in telemetry. */
export const CONSOLE_ROUTE = 'console'

/** Everything from here. No inline script or style; the WebAssembly machine that previews a trade may be compiled. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PERMISSIONS = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
]
  .concat('midi', 'payment', 'serial', 'usb')
  .map((feature) => `${feature}=()`)
  .join(', ')

/** On every file, not only on pages: a service worker obeys the policy that it came with itself. */
const HEADERS = {
  'content-security-policy': POLICY,
  'permissions-policy': PERMISSIONS,
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept-encoding',
} as const

const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Asked for each time and answered 304 as long as it is the same: a new build is seen at once. */
const REVALIDATED = 'no-cache'

/** Codings that a client takes, with weight 0 left out; one that says nothing of codings takes the plain form. */
const acceptedCodings = (header: string | undefined): ReadonlySet<string> =>
  new Set(
    (header ?? '')
      .split(',')
      .map((part) =>
        part
          .trim()
          .toLowerCase()
          .split(/\s*;\s*/),
      )
      .filter(([, weight]) => weight === undefined || !/^q=0(\.0*)?$/.test(weight))
      .map(([coding = '']) => coding),
  )

/** The smallest form that the client takes. The plain one goes to everybody: who refuses even that gets it all the same. */
const codingFor = ({ coded }: ConsoleFile, header: string | undefined): Coding => {
  const accepted = acceptedCodings(header)
  return CODINGS.find((coding) => coded[coding] !== undefined && accepted.has(coding)) ?? 'identity'
}

/** Compared weakly, as RFC 9110 has it for this header. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()))

const fileAnswer = (file: ConsoleFile, headers: IncomingHttpHeaders): Answer => {
  const coding = codingFor(file, headers['accept-encoding'])
  const { bytes, etag } = file.coded[coding] ?? file.coded.identity
  const shared = { ...HEADERS, etag, 'cache-control': file.isImmutable ? IMMUTABLE : REVALIDATED }
  if (isKnown(headers['if-none-match'], etag)) return { status: 304, body: '', headers: shared }
  return {
    status: 200,
    body: bytes,
    headers: {
      ...shared,
      'content-type': file.contentType,
      ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
    },
  }
}

/** Parts of the door. */
export interface ConsoleDoorOptions {
  /** Null: not built, which pages then tell. */
  readonly build: ConsoleBuild | null
  readonly rate: RateGate
  /** Of its own: the files of a page must not use up what an address may ask of the API, nor the other way about. */
  readonly limit: RateLimit
  readonly addressOf: (request: IncomingMessage) => string
}

/** Serves a build, or tells what to do about its absence. */
export const createConsoleDoor = ({ build, rate, limit, addressOf }: ConsoleDoorOptions): ConsoleDoor => ({
  has: (path) => isPage(path) || (path !== DOCUMENT && build?.has(path) === true),
  answer: async (request, path) => {
    const { method = '', headers } = request
    if (method !== 'GET' && method !== 'HEAD') {
      throw new ApiError('METHOD_NOT_ALLOWED', `${method} is not possible here; use GET or HEAD`, undefined, {
        allow: 'GET, HEAD',
      })
    }
    await rate(`${CONSOLE_ROUTE}:${addressOf(request)}`, limit)
    const file = build?.get(isPage(path) ? DOCUMENT : path)
    if (file === undefined) {
      throw new ApiError(
        'NOT_FOUND',
        'the console is not built; run npm run build and start again (the API is at /docs)',
      )
    }
    return fileAnswer(file, headers)
  },
})
