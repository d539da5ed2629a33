import { describe, expect, test } from '@jest/globals'
import type { Notification } from '../../src/servers/alertmanager.ts'
import type { ActiveAlert } from '../../src/servers/prometheus.ts'
import { drill, type DrillDeps } from '../../src/gameday/drill.ts'
import type { Mode } from '../../src/gameday/mode.ts'
import { totalsOf, verdictOf } from '../../src/gameday/report.ts'
import { runModes } from '../../src/gameday/suites.ts'

/** What fires, by alert: from when to when after the injection or the healing, seconds. */
interface Script {
  readonly fires: Readonly<
    Record<string, { readonly afterS: number; readonly endsAfterS: number; readonly severity?: string }>
  >
  /** Alerts that fire before and all the while. */
  readonly always?: readonly string[]
  /** For so many seconds before the injection Flood still fires of the drill before. */
  readonly lingersS?: number
  /** Alerts that nobody is told of. */
  readonly silenced?: readonly string[]
  readonly books?: string | null
  readonly served?: string | null
  readonly injectFails?: boolean
  readonly isOverloaded?: boolean
}

const world = (script: Script) => {
  let nowMs = 1_000_000
  let injectedMs: number | null = null
  let healedMs: number | null = null
  const told: Notification[] = []
  const labelsOf = (name: string, severity = 'critical') => ({ alertname: name, severity })
  const isFiring = (name: string): boolean => {
    if (name === 'Flood' && injectedMs === null && nowMs < 1_000_000 + (script.lingersS ?? 0) * 1_000) return true
    const timing = script.fires[name]
    if (timing === undefined || injectedMs === null || nowMs < injectedMs + timing.afterS * 1_000) return false
    return healedMs === null || nowMs < healedMs + timing.endsAfterS * 1_000
  }
  const active = (): ActiveAlert[] => [
    ...Object.entries(script.fires)
      .filter(([name]) => isFiring(name))
      .map(([name, { severity }]) => ({
        name,
        state: 'firing' as const,
        labels: labelsOf(name, severity),
        activeAtMs: nowMs,
      })),
    ...(script.always ?? []).map((name) => ({ name, state: 'firing' as const, labels: labelsOf(name), activeAtMs: 0 })),
  ]
  const tell = (): void => {
    for (const { name, labels } of active()) {
      if (name === 'Flood' && script.lingersS !== undefined && injectedMs === null) continue
      if (script.silenced?.includes(name) === true || told.some((one) => one.name === name)) continue
      told.push({ name, status: 'firing', labels, annotations: {}, receivedAtMs: nowMs })
    }
  }
  const deps: DrillDeps<object> = {
    world: {},
    alerts: () => {
      tell()
      return Promise.resolve(active())
    },
    notifications: () => [...told],
    books: () => Promise.resolve(script.books ?? null),
    served: () => Promise.resolve(script.served ?? null),
    isOverloaded: () => script.isOverloaded ?? false,
    nowMs: () => nowMs,
    pause: (delayMs) => {
      nowMs += delayMs
      return Promise.resolve()
    },
    fireMsMax: () => 30_000,
    clearMsMax: () => 60_000,
  }
  const mode: Mode<object> = {
    name: 'flood',
    title: 'a flood',
    door: 'the gate',
    tells: ['Flood'],
    alongside: ['WetFeet'],
    inject: () => {
      if (script.injectFails === true) return Promise.reject(new Error('the gate is stuck'))
      injectedMs = nowMs
      return Promise.resolve(() => {
        healedMs = nowMs
        return Promise.resolve()
      })
    },
  }
  return { deps, mode, wasHealed: () => healedMs !== null }
}

const run = async (script: Script, changed: Partial<Mode<object>> = {}) => {
  const { deps, mode, wasHealed } = world(script)
  return { ...(await drill({ ...mode, ...changed }, deps)), wasHealed: wasHealed() }
}

describe('a drill', () => {
  test('is passed when its alert fires, is told and ends, and gives the seconds of each', async () => {
    const result = await run({ fires: { Flood: { afterS: 4, endsAfterS: 7 } } })
    expect(result).toMatchObject({ faults: [], others: [], firedAfterSeconds: { Flood: 4 }, toldAfterSeconds: 4 })
    expect(result.clearedAfterSeconds).toBeCloseTo(7, 0)
  })

  test('fails when its alert does not fire, and heals all the same', async () => {
    const result = await run({ fires: {} })
    expect(result.faults).toEqual(['Flood did not fire'])
    expect(result).toMatchObject({ firedAfterSeconds: { Flood: null }, wasHealed: true })
  })

  test('fails when one of several alerts that tell it does not fire', async () => {
    const result = await run({ fires: { Flood: { afterS: 1, endsAfterS: 1 } } }, { tells: ['Flood', 'Dyke'] })
    expect(result.faults).toEqual(['Dyke did not fire'])
  })

  test('fails when the alert fires but nobody is told', async () => {
    const result = await run({ fires: { Flood: { afterS: 1, endsAfterS: 1 } }, silenced: ['Flood'] })
    expect(result.faults).toEqual(['nobody was told of Flood'])
  })

  test('fails on an unrelated page', async () => {
    const fires = { Flood: { afterS: 1, endsAfterS: 1 }, Fire: { afterS: 0, endsAfterS: 0 } }
    expect((await run({ fires })).faults).toEqual(['an unrelated page: Fire'])
  })

  test('fails on an unrelated page that comes only after the healing', async () => {
    const fires = { Flood: { afterS: 1, endsAfterS: 9 }, Fire: { afterS: 3, endsAfterS: 9 } }
    expect((await run({ fires })).faults).toEqual(['an unrelated page: Fire'])
  })

  test('takes a page that may come with it, and alerts that page nobody, and names them', async () => {
    const result = await run({
      fires: {
        Flood: { afterS: 1, endsAfterS: 1 },
        WetFeet: { afterS: 0, endsAfterS: 0 },
        Puddle: { afterS: 0, endsAfterS: 0, severity: 'warning' },
      },
    })
    expect(result).toMatchObject({ faults: [], others: ['Puddle (warning)', 'WetFeet (critical)'] })
  })

  test('does not take a page for its own that fired before it began', async () => {
    const result = await run({ fires: { Flood: { afterS: 1, endsAfterS: 1 } }, always: ['OldStory'] })
    expect(result).toMatchObject({ faults: [], others: [] })
  })

  test('excuses pages about slowness, and no others, while the machine is overloaded, and says so', async () => {
    const slow = {
      Flood: { afterS: 1, endsAfterS: 1 },
      BourseOrderLatencyBudgetBurn: { afterS: 0, endsAfterS: 1 },
    }
    expect((await run({ fires: slow })).faults).toEqual(['an unrelated page: BourseOrderLatencyBudgetBurn'])
    const excused = await run({ fires: slow, isOverloaded: true })
    expect(totalsOf([excused], [])).toEqual({
      passed: 0,
      failed: 0,
      skipped: [{ name: 'flood', reason: expect.stringContaining('BourseOrderLatencyBudgetBurn') }],
    })
    expect(verdictOf(excused)).toMatch(/^EXCUSED/u)
    expect(excused).toMatchObject({
      faults: [],
      excused: ['BourseOrderLatencyBudgetBurn'],
      others: ['BourseOrderLatencyBudgetBurn (critical, machine overloaded)'],
    })
    const fires = { ...slow, Fire: { afterS: 0, endsAfterS: 1 } }
    expect((await run({ fires, isOverloaded: true })).faults).toEqual(['an unrelated page: Fire'])
  })

  test('breaks nothing while its alert fires of what was before: it could tell nothing', async () => {
    const result = await run({ fires: {}, always: ['Flood'] })
    expect(result.faults).toEqual(['fired before anything was broken: Flood'])
    const late = await run({ fires: { Flood: { afterS: 2, endsAfterS: 1 } }, lingersS: 20 })
    expect(late).toMatchObject({ faults: [], firedAfterSeconds: { Flood: 2 } })
  })

  test('fails when its alert does not end after the healing', async () => {
    const result = await run({ fires: { Flood: { afterS: 1, endsAfterS: 3_600 } } })
    expect(result).toMatchObject({ clearedAfterSeconds: null, faults: ['its alerts did not end after the healing'] })
  })

  test('fails when afterwards the books are not at zero, or nothing is served', async () => {
    const fires = { Flood: { afterS: 1, endsAfterS: 1 } }
    expect((await run({ fires, books: 'USDC: 1' })).faults).toEqual(['the books afterwards: USDC: 1'])
    expect((await run({ fires, served: 'open: 503' })).faults).toEqual(['not served afterwards: open: 503'])
  })

  test('excuses no page that is a consequence anyway', async () => {
    const fires = { Flood: { afterS: 1, endsAfterS: 1 }, BoursePartitionStuck: { afterS: 0, endsAfterS: 1 } }
    const result = await run({ fires, isOverloaded: true }, { alongside: ['BoursePartitionStuck'] })
    expect(result).toMatchObject({ faults: [], excused: [] })
    expect(totalsOf([result], [])).toEqual({ passed: 1, failed: 0, skipped: [] })
  })

  test('is healed when everything is to end, and says nothing', async () => {
    const quit = new AbortController()
    const { deps, mode, wasHealed } = world({ fires: { Flood: { afterS: 4, endsAfterS: 7 } } })
    const pause = (delayMs: number): Promise<void> => {
      if (deps.nowMs() > 1_002_000) quit.abort(new Error('enough'))
      return quit.signal.aborted ? Promise.reject(new Error('enough')) : deps.pause(delayMs)
    }
    const results: string[] = []
    const run = runModes(
      [mode, mode],
      { ...deps, pause },
      {
        chosen: ['flood'],
        interrupted: quit.signal,
        onResult: ({ name }) => void results.push(name),
        onSkipped: () => undefined,
      },
    )
    await expect(run).rejects.toThrow('enough')
    expect({ results, healed: wasHealed() }).toEqual({ results: [], healed: true })
  })

  test('fails when it can not be injected', async () => {
    expect((await run({ fires: {}, injectFails: true })).faults).toEqual(['the gate is stuck'])
  })
})
