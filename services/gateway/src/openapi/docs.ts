import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ApiError } from '../http/api-error.ts'
import { answer, route, routeSpec, type Answer, type Route } from '../http/route.ts'
import { parameters } from '../http/schemas.ts'

/** The document itself and the page that shows it. */
export const docsSpecs = {
  document: routeSpec<'none'>({
    operationId: 'openApiDocument',
    method: 'GET',
    path: '/openapi.json',
    tag: 'Documentation',
    security: 'none',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    refusals: [],
  }),
  page: routeSpec<'none'>({
    operationId: 'docsPage',
    method: 'GET',
    path: '/docs',
    tag: 'Documentation',
    security: 'none',
    summary: 'The API reference as a page',
    answers: { 200: { description: 'HTML', contentTypes: ['text/html'] } },
    refusals: [],
  }),
  asset: routeSpec<'none'>({
    operationId: 'docsAsset',
    method: 'GET',
    path: '/docs/{file}',
    tag: 'Documentation',
    security: 'none',
    summary: 'A file of the page',
    params: parameters({ file: { type: 'string', maxLength: 64 } }, ['file']),
    answers: { 200: { description: 'The file', contentTypes: ['text/css', 'text/javascript', 'image/png'] } },
    refusals: ['NOT_FOUND'],
  }),
} as const

/** Files of the viewer's package that the page needs; nothing else of it is served. */
const PACKAGE_FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}
const START_FILE = 'start.js'
const START_SCRIPT =
  'window.ui = SwaggerUIBundle({ ' +
  'url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });\n'

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bourse API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/${START_FILE}"></script>
</body>
</html>
`

/** Everything from here; styles inline because the viewer sets them on elements. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const page = (body: string | Buffer, contentType: string, maxAgeSeconds: number): Answer =>
  answer(body, {
    'content-type': contentType,
    'content-security-policy': PAGE_POLICY,
    'cache-control': maxAgeSeconds === 0 ? 'no-cache' : `public, max-age=${maxAgeSeconds}`,
  })

const FILE_AGE_SECONDS = 3_600

/** `/openapi.json` and `/docs`: every byte comes from here. */
export const docsRoutes = (document: object): readonly Route[] => {
  const text = JSON.stringify(document)
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  const files = new Map<string, Promise<Buffer>>()
  const fileOf = (name: string): Promise<Buffer> => {
    const read = files.get(name) ?? readFile(join(folder, name))
    files.set(name, read)
    return read
  }
  return [
    route({
      spec: docsSpecs.document,
      handle: () => answer(text, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' }),
    }),
    route({ spec: docsSpecs.page, handle: () => page(PAGE, 'text/html; charset=utf-8', 0) }),
    route({
      spec: docsSpecs.asset,
      handle: async ({ params }) => {
        const name = params['file'] ?? ''
        if (name === START_FILE) return page(START_SCRIPT, 'text/javascript; charset=utf-8', FILE_AGE_SECONDS)
        const contentType = Object.hasOwn(PACKAGE_FILES, name) ? PACKAGE_FILES[name] : undefined
        if (contentType === undefined) throw new ApiError('NOT_FOUND', 'there is no such file of the page; open /docs')
        return page(await fileOf(name), contentType, FILE_AGE_SECONDS)
      },
    }),
  ]
}
