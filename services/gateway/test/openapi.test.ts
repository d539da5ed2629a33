import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generate } from '../src/openapi/generate.ts'
import { allSpecs } from '../src/openapi/specs.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway()
})
afterAll(() => platform.gateway.stop())

const references = (node: unknown): string[] => {
  if (Array.isArray(node)) return node.flatMap(references)
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => (key === '$ref' ? [String(value)] : references(value)))
}

describe('the OpenAPI document', () => {
  test('is kept in the repository as the schemas say; npm run generate renews it', async () => {
    expect(await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')).toBe(generate())
  })

  test('is served, names every route once, and every reference leads somewhere', async () => {
    const document = JSON.parse((await platform.call('GET', '/openapi.json')).text) as {
      openapi: string
      paths: Record<string, object>
      components: { schemas: object }
    }
    expect(document.openapi).toBe('3.1.0')
    expect(Object.values(document.paths).reduce((total, path) => total + Object.keys(path).length, 0)).toBe(
      allSpecs.length,
    )
    expect(new Set(allSpecs.map(({ operationId }) => operationId)).size).toBe(allSpecs.length)
    const names = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect(references(document).filter((reference) => !names.includes(reference))).toEqual([])
  })

  test('the page comes with everything it needs from here, under a strict policy', async () => {
    const page = await platform.call('GET', '/docs')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(page.text).not.toMatch(/https?:\/\//)
    for (const [, file] of page.text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)) {
      expect((await platform.call('GET', file ?? '')).status).toBe(200)
    }
    for (const file of ['package.json', '..%2f..%2fpackage.json', 'constructor'])
      expect((await platform.call('GET', `/docs/${file}`)).status).toBe(404)
  })
})
