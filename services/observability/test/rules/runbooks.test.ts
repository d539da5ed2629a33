import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { testUnless } from '@bourse/common/testkit/skip.ts'
import { parse, stringify } from 'yaml'
import { generateIndex } from '../../src/rules/generate.ts'
import { BURN_WINDOWS, OBJECTIVES } from '../../src/objectives/objectives.ts'
import { ALERTS, INHIBITIONS } from '../../src/rules/rules.ts'
import { SCRAPED_LABELS, definitionOf, isKnown, matchersIn, seriesIn } from './known-series.ts'
import { promtool, promtoolMissing } from './promtool.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const FOLDER = join(ROOT, 'docs/runbooks')
/** Pages that are no alert's. */
const COMMON = ['README.md', 'tools.md']

const NAMES = [...new Set(ALERTS.map(({ alert }) => alert))]
const page = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')
const PAGES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.md'))
  .map((file) => [file, page(file)] as const)

const blocksOf = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gmu'))].map(([, block = '']) =>
    block.trim(),
  )

/** Lines of shell, and commands within sentences. */
const commandsOf = (text: string): readonly string[] => [
  ...blocksOf(text, 'sh').flatMap((block) => block.split('\n')),
  ...[...text.replace(/^```[\s\S]*?^```/gmu, '').matchAll(/`([^`\n]+)`/gu)].map(([, command = '']) => command),
]

/** All TypeScript below a folder, as one text. */
const sourcesBelow = (folder: string): string =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !file.includes('node_modules') && /(?:^|\/)src\//u.test(`${folder}/${file}`),
    )
    .map((file) => readFileSync(join(ROOT, folder, file), 'utf8'))
    .join('\n')

test('Every alert has a runbook, and every runbook an alert', () => {
  const files = PAGES.map(([file]) => file).filter((file) => !COMMON.includes(file))
  expect(files.sort()).toEqual(NAMES.map((name) => `${name}.md`).sort())
})

test('The index is what the alerts make of it', () => {
  expect(page('README.md')).toBe(generateIndex())
})

test.each(NAMES)('%s says what it means, whom it hurts, where to look and what to do', (name) => {
  const text = page(`${name}.md`)
  const headings = [...text.matchAll(/^#+ .*$/gmu)].map(([heading]) => heading)
  expect(headings).toEqual([`# ${name}`, '## Meaning', '## Impact', '## Diagnosis', '## Mitigation'])
  for (const section of text.split(/^## .*$/mu).slice(1)) expect(section.trim().length).toBeGreaterThan(4)
  expect(blocksOf(text, 'promql').length + blocksOf(text, 'sh').length).toBeGreaterThan(0)
})

describe('Queries of runbooks', () => {
  const queries = PAGES.flatMap(([file, text]) => blocksOf(text, 'promql').map((query) => [file, query] as const))

  test('name series and labels that exist', () => {
    expect(queries.length).toBeGreaterThan(100)
    for (const [file, query] of queries) {
      const strange = matchersIn(query).filter(([series, label]) => {
        const definition = definitionOf(series)
        return definition !== undefined && ![...SCRAPED_LABELS, ...Object.keys(definition.labels)].includes(label)
      })
      expect([file, seriesIn(query).filter((series) => !isKnown(series)), strange]).toEqual([file, [], []])
    }
  })

  testUnless(promtoolMissing(), 'are PromQL', () => {
    const rules = queries.map(([, expr], at) => ({ record: `runbook:${at}`, expr }))
    const text = stringify({ groups: [{ name: 'runbooks', rules }] })
    const { ok, said } = promtool(['check', 'rules', 'rules.yaml'], { 'rules.yaml': text })
    expect({ ok, said: ok ? '' : said }).toEqual({ ok: true, said: '' })
  })
})

describe('Commands of runbooks', () => {
  const commands = PAGES.flatMap(([file, text]) => commandsOf(text).map((command) => [file, command] as const))
  const named = (pattern: RegExp): readonly string[] => [
    ...new Set(commands.flatMap(([, command]) => [...command.matchAll(pattern)].map(([, name = '']) => name))),
  ]

  test('run scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    const used = named(/npm run ([\w:]+)/gu)
    expect(used).toEqual(expect.arrayContaining(['inspect', 'dlq', 'verify']))
    expect(used.filter((script) => !(script in scripts))).toEqual([])
  })

  test('use subcommands that the scripts have', () => {
    const subcommandsOf = (path: string): readonly string[] =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\.command\('(\w+)/gu)].map(([, name = '']) => name)
    expect(subcommandsOf('services/observability/src/commands/inspect.ts')).toEqual(
      expect.arrayContaining([...named(/npm run inspect -- (\w+)/gu)]),
    )
    expect(subcommandsOf('services/all-in-one/src/commands/dlq.ts')).toEqual(
      expect.arrayContaining([...named(/npm run dlq -- (\w+)/gu)]),
    )
  })

  test('give the edge the key that it asks for with every order of an administrator', () => {
    const tools = page('tools.md')
    const order = tools.slice(tools.indexOf('order() {'), tools.indexOf('\n}'))
    expect(order).toContain("x-idempotency-key: $(node -p 'crypto.randomUUID()')")
    for (const [, text] of PAGES) expect(text).not.toMatch(/-X POST \$gateway/u)
  })

  test('ask for paths that the platform answers', () => {
    const openApi = readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')
    const documented = (path: string): boolean =>
      openApi.includes(`"${path}"`) ||
      Object.keys((JSON.parse(openApi) as { paths: object }).paths).some((template) => {
        const pattern = template.replace(/\{[^}]+\}/gu, '[^/]+')
        return new RegExp(`^${pattern}$`, 'u').test(path)
      })
    const api = named(/(\/api\/v1\/[\w/{}…-]+)/gu)
    expect(api.length).toBeGreaterThan(4)
    expect(api.filter((path) => !documented(path))).toEqual([])
    const shard = sourcesBelow('services/common') + readFileSync(join(ROOT, 'docs/operations/shards.md'), 'utf8')
    const control = named(/\$door(\/(?:control|health)\/[a-z-]+(?:\/(?:cpu|heap))?)/gu)
    expect(control).toEqual(expect.arrayContaining(['/control/partitions', '/health/ready', '/control/profile/cpu']))
    expect(control.filter((path) => !shard.includes(path))).toEqual([])
  })

  test('name objects of the chart as a release named bourse has them', () => {
    const templates = readdirSync(join(ROOT, 'charts/bourse/templates'))
    const objects = named(/\b(?:deployment|statefulset|service)\/(bourse-[a-z-]+)/gu)
    expect(objects.length).toBeGreaterThan(3)
    // Ledger and bridge are made by one template.
    const made = (name: string): boolean =>
      templates.includes(`${name}.yaml`) ||
      readFileSync(join(ROOT, 'charts/bourse/templates/shards.yaml'), 'utf8').includes(`"${name}"`)
    expect(objects.filter((name) => !made(name.replace('bourse-', '')))).toEqual([])
  })

  test('look for log lines that somebody writes', () => {
    const sources = sourcesBelow('services') + sourcesBelow('operator')
    const lines = PAGES.flatMap(([file, text]) =>
      blocksOf(text, 'sh')
        .flatMap((block) => block.split('\n'))
        .flatMap((line) => [...(/#.*$/u.exec(line)?.[0] ?? '').matchAll(/"([^"]+)"/gu)])
        .flatMap(([, phrase = '']) => phrase.split(' … ').map((part) => [file, part] as const)),
    )
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.filter(([, phrase]) => !sources.includes(phrase))).toEqual([])
  })
})

test('Links between pages lead to pages, and to headings that they have', () => {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/gu, '')
      .trim()
      .replace(/\s/gu, '-')
  const broken = PAGES.flatMap(([file, text]) =>
    [...text.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/gu)]
      .filter(([, path = '']) => !path.startsWith('http'))
      .filter(([, path = '', anchor]) => {
        const target = path === '' ? join(FOLDER, file) : join(FOLDER, path)
        if (!existsSync(target)) return true
        if (anchor === undefined) return false
        return ![...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gmu)].some(
          ([, heading = '']) => slug(heading) === anchor,
        )
      })
      .map(([link]) => `${file}: ${link}`),
  )
  expect(broken).toEqual([])
})

describe('The page of objectives', () => {
  const text = readFileSync(join(ROOT, 'docs/operations/objectives.md'), 'utf8')

  test('has every promise with its target and alert', () => {
    for (const { name, description, target, alertPrefix } of OBJECTIVES) {
      const alert = `${alertPrefix}BudgetBurn`
      const percent = Number((target * 100).toFixed(3))
      expect(text).toContain(`| \`${name}\` | ${description} | ${percent} % | [${alert}](../runbooks/${alert}.md) |`)
    }
  })

  test('has every pair of windows with its factor and severity', () => {
    for (const { long, short, factor, severity } of BURN_WINDOWS)
      expect(text).toMatch(new RegExp(`\\| ${long}, ${short} \\| ${factor} \\| [^|]+ \\| ${severity} \\|`, 'u'))
  })

  test('inhibits for Alertmanager what the rules inhibit', () => {
    const { inhibit_rules: inhibited } = parse(blocksOf(text, 'yaml')[0] ?? '') as { inhibit_rules: unknown }
    expect(inhibited).toEqual(
      INHIBITIONS.map(({ sources, targets, equal }) => ({
        source_matchers: sources,
        target_matchers: targets,
        equal,
      })),
    )
  })
})
