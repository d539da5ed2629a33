import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { CHART, evaluation, helm, helmMissing, production, PRODUCTION, render } from './helm.ts'

const REFUSED: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['a value that is not there', { 'gateway.replica': 3 }, 'replica'],
  ['a number of partitions that is no power of two', { 'partitions.ledger': 3 }, '/partitions/ledger'],
  ['a profile of its own making', { profile: 'staging' }, '/profile'],
  ['no replicas', { 'gateway.replicas': 0 }, '/gateway/replicas'],
  ['a text for a number', { 'operator.replicas': 'two' }, '/operator/replicas'],
  ['a secret in the open', { config: { BOURSE_ADMIN_TOKEN: 'x' } }, 'BOURSE_ADMIN_TOKEN'],
  ['a variable that the chart sets itself', { config: { BOURSE_HOST: '::' } }, 'BOURSE_HOST'],
  ['manifests from elsewhere', { 'gateway.env': { BOURSE_MANIFESTS: '/crds' } }, 'BOURSE_MANIFESTS'],
  ['no ports of servers', { 'networkPolicy.backingPorts': [] }, '/networkPolicy/backingPorts'],
  ['a variable that is none', { config: { PATH: '/' } }, 'PATH'],
  ['root', { runAsUser: 0 }, '/runAsUser'],
  ['an amount of memory that is none', { 'ledger.resources.limits.memory': 'much' }, '/ledger/resources'],
  ['a peer of no known kind', { 'networkPolicy.gatewayFrom': [{ everybody: true }] }, '/networkPolicy/gatewayFrom'],
  ['an exchange that is no URL', { exchangeUrl: 'exchange' }, '/exchangeUrl'],
]

describeUnless(helmMissing(), "the chart's values", () => {
  test.each(REFUSED)('%s is refused by name', (_, settings, said) => {
    const refusal = render({ ...PRODUCTION, ...settings })
    expect(refusal.ok).toBe(false)
    expect(refusal.said).toContain(said)
  })

  test('nothing is rendered before it is known which servers and which exchange to use; the message says how', () => {
    expect(render({ exchangeUrl: 'https://exchange.example' }).said).toMatch(
      /backingServices\.existingSecret.*backing\.enabled=true/s,
    )
    expect(render({ 'backingServices.existingSecret': 'servers' }).said).toMatch(/exchangeUrl.*sandbox\.enabled=true/s)
    expect(render({ ...PRODUCTION, 'gateway.ingress.enabled': true }).said).toContain('gateway.ingress.hosts')
  })

  test.each([
    { name: 'production', values: [] as string[] },
    { name: 'evaluation', values: ['--values', join(CHART, 'values-evaluation.yaml')] },
  ])('helm lint --strict has nothing against it: $name', ({ values }) => {
    const { ok, said } = helm(['lint', '--strict', CHART, ...values])
    expect(said).toContain('0 chart(s) failed')
    expect(ok).toBe(true)
  })

  test('the definitions are those of crds/, stay after an uninstall unless told otherwise, and can be left out', () => {
    const definitions = (objects: ReturnType<typeof production>) =>
      objects.filter(({ kind }) => kind === 'CustomResourceDefinition')
    const sources = readdirSync(join(CHART, '../../crds')).filter((file) => file.endsWith('.yaml'))
    const kept = definitions(production())
    expect(kept).toHaveLength(sources.length)
    for (const file of sources) {
      const source = parse(readFileSync(join(CHART, '../../crds', file), 'utf8')) as (typeof kept)[number]
      const shown = kept.find(({ metadata }) => metadata.name === source.metadata.name)
      expect(shown?.['spec']).toEqual(source['spec'])
      expect(shown?.metadata.annotations).toEqual({ ...source.metadata.annotations, 'helm.sh/resource-policy': 'keep' })
    }
    expect(definitions(production({ 'crds.keep': false }))[0]?.metadata.annotations).toBeUndefined()
    expect(definitions(production({ 'crds.enabled': false }))).toEqual([])
  })

  test('what holds passwords stays after an uninstall, since disks stay that know them', () => {
    const secrets = evaluation().filter(({ kind }) => kind === 'Secret')
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(['bourse-backing', 'bourse-secrets'])
    for (const { metadata } of secrets) expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
    expect(production({ 'secrets.existing': 'tokens' }).filter(({ kind }) => kind === 'Secret')).toEqual([])
  })

  test('with an autoscaler nobody else sets the number of gateways', () => {
    const gateway = (objects: ReturnType<typeof production>) =>
      objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'bourse-gateway')?.['spec']
    expect(gateway(production())).toMatchObject({ replicas: 2 })
    expect(gateway(production({ 'gateway.autoscaling.enabled': true }))).not.toHaveProperty('replicas')
  })
})
