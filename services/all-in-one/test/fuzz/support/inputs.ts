import { randomUUID } from 'node:crypto'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { ApiDocument, Operation, Parameter, Schema } from './document.ts'

/** A request as it goes over the wire. */
export interface Sent {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer | null
}

/** Values that make sense to the platform as it is now, by the name of the field. */
export type Pools = Readonly<Record<string, readonly string[]>>

/** JSON texts that belong nowhere: wrong types, numbers no float can hold, depth, names a parser must not take. */
const HOSTILE_JSON = [
  'null',
  'true',
  '[]',
  '{}',
  '[[1]]',
  '-1',
  '0',
  '-0',
  '-0.0',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.000000001',
  '4294967296',
  '1e3',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e\\u0000x"',
  '"🏦 ünï"',
  '"\'; DROP TABLE users; --"',
  '"${7*7}"',
  '"../../etc/passwd"',
  '"=1+1"',
  '"NaN"',
  '"1e5"',
  '"0x10"',
  '"-5"',
  '"99999999999999999999.999999999"',
  '{"$gt":""}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}}}',
  `"${'x'.repeat(300)}"`,
  `"${'9'.repeat(5_000)}"`,
]
const HOSTILE_TEXTS = [
  '',
  '%20',
  '.',
  '..',
  '%00',
  '%2e%2e%2f',
  '%zz',
  '%',
  '%ff%fe',
  '%F0%9F%8F%A6',
  'a%2Fb',
  "'--",
  'undefined',
  'null',
  'NaN',
  '-1',
  '0',
  '1e3',
  '99999999999999999999',
  '1.5',
  '__proto__',
  'constructor',
  '%5B%5D',
  '2026-01-31T12:00:00Z',
  '9999-12-31T23:59:59-23:59',
  '0000-01-01',
  '-271821-04-20',
  'x'.repeat(600),
  'x'.repeat(5_000),
]
/** Header values are latin 1 without controls: Node sends no others. */
const HOSTILE_HEADERS = [
  '',
  ' ',
  'abc',
  '\u00ff\u00fe',
  '00000000-0000-0000-0000-000000000000',
  '; drop',
  'x'.repeat(600),
  '{}',
  'null',
]
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'TRACE']
const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16le',
  'application/json; charset=no-such',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/xml',
  'application/jsonx',
  ';',
  '',
]
const BODY_BYTES_LARGE = 70_000

type Text = string

/** What a generator needs. */
export interface InputDeps {
  readonly document: ApiDocument
  readonly random: SeededRandom
  /** Looked up by name at every draw: what is known grows while the run goes on. */
  readonly pools: () => Pools
}

/** Makes requests of an operation: sensible ones, ones at the edges and wrong ones. */
export const createInputs = ({ document, random, pools }: InputDeps) => {
  const uuid = (): string => (random.chance(50) ? random.pick(pools()['uuid'] ?? [randomUUID()]) : randomUuid())
  /** From the run's chance, so that the seed says all. */
  const randomUuid = (): string => {
    const hex = Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  const textOf = (name: string, schema: Schema): string => {
    const pool = pools()[name]
    if (pool !== undefined && random.chance(85)) return random.pick(pool)
    const longest = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : 40
    const pattern = String(schema['pattern'] ?? '')
    if (pattern.includes('[0-9a-fA-F]{8}')) return uuid()
    if (pattern.startsWith('^[A-Z0-9]')) return random.pick(['USDC', 'AZN', 'USDT', 'ZZ', 'ABCDEFGH'])
    if (schema['format'] === 'date-time') return '2026-01-31T12:00:00Z'
    const length = random.pick([1, 8, 40, Number(schema['minLength'] ?? 1), longest, longest + 1])
    return 'abcDEF019-_'.repeat(Math.ceil(length / 11)).slice(0, length)
  }
  const wholeOf = (schema: Schema): string => {
    const low = Number(schema['minimum'] ?? 0)
    const high = Number(schema['maximum'] ?? 1_000)
    return String(
      random.pick([low, high, low - 1, high + 1, random.between(Math.max(low, 0), Math.min(high, 0xffff_fff0))]),
    )
  }

  /** A JSON text for a schema; `wild` percent of all parts are texts that belong nowhere. */
  const jsonOf = (name: string, given: Schema, wild: number): Text => {
    const schema = document.resolve(given)
    if (random.chance(wild)) return random.pick(HOSTILE_JSON)
    if ('const' in schema) return JSON.stringify(schema['const'])
    if (Array.isArray(schema['enum'])) return JSON.stringify(random.pick(schema['enum'] as unknown[]))
    const choices = (schema['oneOf'] ?? schema['anyOf']) as readonly Schema[] | undefined
    if (choices !== undefined) return jsonOf(name, random.pick(choices), wild)
    const types = [(schema['type'] ?? 'object') as string | readonly string[]].flat()
    switch (random.pick(types)) {
      case 'string':
        return JSON.stringify(textOf(name, schema))
      case 'number':
        return random.pick(['100', '1', '0.1', '25.50', '1e2', '0.00000001', '99999999999'])
      case 'integer':
        return wholeOf(schema)
      case 'boolean':
        return random.pick(['true', 'false'])
      case 'array':
        return listOf(name, (schema['items'] ?? {}) as Schema, wild)
      case 'object':
        return objectOf(schema, wild)
      default:
        return 'null'
    }
  }
  const listOf = (name: string, items: Schema, wild: number): Text =>
    `[${Array.from({ length: random.between(0, 3) }, () => jsonOf(name, items, wild)).join(',')}]`
  const objectOf = (schema: Schema, wild: number): Text => {
    const required = new Set((schema['required'] ?? []) as readonly string[])
    const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)
      .filter(([name]) => (required.has(name) ? !random.chance(wild) : random.chance(60)))
      .map(([name, property]) => `${JSON.stringify(name)}:${jsonOf(name, property, wild)}`)
    if (random.chance(wild)) fields.push(`"unknown${random.between(0, 9)}":${random.pick(HOSTILE_JSON)}`)
    if (random.chance(wild / 2) && fields[0] !== undefined) fields.push(fields[0])
    return `{${fields.join(',')}}`
  }

  /** A JSON body's bytes, now and then no JSON at all. */
  const bytesOf = (text: Text): Buffer => {
    if (!random.chance(12)) return Buffer.from(text)
    return random.pick([
      () => Buffer.alloc(0),
      () => Buffer.from(text.slice(0, -1)),
      () => Buffer.from(`${text}${text}`),
      () => Buffer.from(`\ufeff${text}`),
      () => Buffer.from('['.repeat(2_000)),
      () => Buffer.from(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`),
      () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
      () => Buffer.from(text, 'utf16le'),
      () => Buffer.from(`{"a":"${'x'.repeat(BODY_BYTES_LARGE)}"}`),
      () => Buffer.from(random.pick(HOSTILE_JSON)),
    ])()
  }

  const pathOf = (operation: Operation, wild: number): string =>
    operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const parameter = operation.parameters.find((one) => one.in === 'path' && one.name === name)
      if (random.chance(wild)) return random.pick(HOSTILE_TEXTS)
      return encodeURIComponent(textOf(name, document.resolve(parameter?.schema ?? {})))
    })

  const queryValue = ({ name, schema: given }: Parameter, wild: number): string => {
    const schema = document.resolve(given)
    if (random.chance(wild)) return random.pick(HOSTILE_TEXTS)
    if (Array.isArray(schema['enum'])) return encodeURIComponent(String(random.pick(schema['enum'] as unknown[])))
    if (schema['type'] === 'integer') return wholeOf(schema)
    if (schema['type'] === 'boolean') return random.pick(['true', 'false', '1'])
    return encodeURIComponent(textOf(name, schema))
  }
  const queryOf = (operation: Operation, wild: number): string => {
    const parts = operation.parameters
      .filter((parameter) => parameter.in === 'query')
      .filter((parameter) => (parameter.required ? !random.chance(wild / 2) : random.chance(40)))
      .map((parameter) => `${parameter.name}=${queryValue(parameter, wild)}`)
    if (random.chance(wild))
      parts.push(random.pick(['unknown=1', 'limit=1', 'limit[]=2', '=', '&&', '__proto__=1', 'limit=1;x']))
    if (random.chance(wild) && parts[0] !== undefined) parts.push(parts[0])
    return parts.length === 0 ? '' : `?${parts.join('&')}`
  }

  const headersOf = (operation: Operation, wild: number): Record<string, string | string[]> => {
    const headers: Record<string, string | string[]> = {}
    for (const { name, required, in: place } of operation.parameters) {
      if (place !== 'header' || !(required ? !random.chance(wild) : random.chance(60))) continue
      headers[name] = random.chance(wild) ? random.pick(HOSTILE_HEADERS) : uuid()
    }
    // Too large a head is refused before anybody knows which operation it is for, in one form: no documented answer fits it.
    const extra: readonly (readonly [string, string | string[]])[] = [
      ['x-request-id', random.pick(['abc-1', ...HOSTILE_HEADERS])],
      ['origin', random.pick(['https://evil.example', 'null', ''])],
      ['sec-fetch-site', random.pick(['cross-site', 'same-origin', 'x'])],
      ['accept', random.pick(['text/html', 'application/xml', '*/*;q=0', '\u00e9'])],
      ['accept-encoding', random.pick(['gzip', 'br;q=1', 'identity;q=0'])],
      ['content-encoding', random.pick(['gzip', 'identity', 'br'])],
      ['x-admin-user', random.pick(['ops', ...HOSTILE_HEADERS])],
      ['if-none-match', '*'],
      ['range', 'bytes=0-1'],
      ['x-http-method-override', 'DELETE'],
      ['x-idempotency-key', [randomUuid(), randomUuid()]],
      [
        'cookie',
        random.pick(['authToken=x.y.z', 'authToken=', 'a=b; authToken=; =', 'authToken=eyJhbGciOiJub25lIn0.e30.']),
      ],
    ]
    if (random.chance(wild)) {
      const [name, value] = random.pick(extra)
      headers[name] = value
    }
    return headers
  }

  /** One request of the operation, without credentials. */
  const requestOf = (operation: Operation): Sent => {
    // A third of all requests is as it should be, but for the values; the others are wrong in some or many places.
    const wild = random.pick([0, 8, 30])
    const method = wild > 0 && random.chance(5) ? random.pick(METHODS) : operation.method
    const headers = headersOf(operation, wild)
    const target = `${pathOf(operation, wild)}${queryOf(operation, wild)}`
    const carriesBody = operation.body !== null || (wild > 0 && random.chance(10))
    if (!carriesBody || (wild > 0 && random.chance(3))) return { method, target, headers, body: null }
    const text = jsonOf('body', operation.body ?? { type: 'object', properties: { a: { type: 'string' } } }, wild)
    const type = wild > 0 && random.chance(10) ? random.pick(CONTENT_TYPES) : 'application/json'
    return {
      method,
      target,
      headers: { ...(type === '' ? {} : { 'content-type': type }), ...headers },
      body: wild === 0 ? Buffer.from(text) : bytesOf(text),
    }
  }
  return { requestOf, jsonOf }
}
