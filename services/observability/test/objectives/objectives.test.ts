import { describe, expect, test } from '@jest/globals'
import { CATALOGUE } from '@bourse/common/telemetry/catalogue/catalogue.ts'
import type { SeriesDefinition } from '@bourse/common/telemetry/catalogue/definition.ts'
import { LATENCY_BUCKETS_SECONDS } from '@bourse/common/telemetry/metrics.ts'
import { BURN_WINDOWS, OBJECTIVES, OWN_FAILURE_CODES } from '../../src/objectives/objectives.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'

const catalogue: Readonly<Record<string, SeriesDefinition>> = CATALOGUE

describe('An objective', () => {
  test.each(OBJECTIVES.map((objective) => [objective.name, objective] as const))(
    '%s asks histograms for bounds that they have',
    (_, { badRatio }) => {
      const bounds = [...badRatio('5m', '').matchAll(/(\w+)_bucket\{le=~?"([\d.]+)[^"]*"\}/gu)]
      expect(bounds.length).toBe(badRatio('5m', '').includes('_bucket') ? 1 : 0)
      for (const [, histogram = '', bound = ''] of bounds) {
        const definition = catalogue[histogram]
        expect(definition?.type).toBe('histogram')
        expect(definition?.buckets ?? LATENCY_BUCKETS_SECONDS).toContain(Number(bound))
      }
    },
  )

  test.each(OBJECTIVES.map((objective) => [objective.name, objective] as const))(
    '%s puts window and selector into every series',
    (_, { badRatio }) => {
      const promql = badRatio('7m', 'namespace="x"')
      const series = [...promql.matchAll(/bourse_\w+/gu)]
      expect(series.length).toBeGreaterThan(0)
      expect([...promql.matchAll(/bourse_\w+\{namespace="x"[^}]*\}\[7m\]/gu)]).toHaveLength(series.length)
    },
  )

  test('has a name of its own, and a target that can be missed', () => {
    expect(new Set(OBJECTIVES.map(({ name }) => name)).size).toBe(OBJECTIVES.length)
    for (const { target } of OBJECTIVES) {
      expect(target).toBeGreaterThan(0.9)
      // A burn of 14.4 must be possible: beyond a target of 93 % all may be bad without reaching it.
      expect(14.4 * (1 - target)).toBeLessThan(1)
    }
  })
})

test('Codes that count as the platform’s own failure are codes of refusals', () => {
  for (const code of OWN_FAILURE_CODES) expect(Object.keys(refusalNumbers)).toContain(code)
})

test('A budget that burns at the factor of a window lasts as long as that window’s severity allows to react', () => {
  for (const { factor, severity } of BURN_WINDOWS) {
    const daysUntilGone = 30 / factor
    expect(daysUntilGone > 5 ? 'warning' : 'critical').toBe(severity)
  }
})
