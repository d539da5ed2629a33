import type { ActiveAlert } from '../servers/prometheus.ts'
import type { Notification } from '../servers/alertmanager.ts'
import type { Heal, Mode, ModeResult } from './mode.ts'
import { SLOWNESS_PAGES } from './pages.ts'

/** What a drill sees of a world, and its limits. */
export interface DrillDeps<World> {
  readonly world: World
  readonly alerts: () => Promise<readonly ActiveAlert[]>
  /** What the person on call was told so far. */
  readonly notifications: () => readonly Notification[]
  /** What is wrong with the books, or null when they are at zero-sum. */
  readonly books: () => Promise<string | null>
  /** What is not served, or null when orders and bank trades are. */
  readonly served: () => Promise<string | null>
  /** Whether this machine has so much else to do that pages about slowness (`SLOWNESS_PAGES`) are its own. */
  readonly isOverloaded: () => boolean
  readonly nowMs: () => number
  /** Fails at once when everything is to end. */
  readonly pause: (delayMs: number) => Promise<void>
  /** How long this mode's alerts may take to fire, ms. */
  readonly fireMsMax: (mode: Mode<World>) => number
  /** How long they may take to end after the healing, ms. */
  readonly clearMsMax: (mode: Mode<World>) => number
}

const LOOK_MS = 200
/** How long a notification may take after its alert fired, ms. */
const TOLD_MS_MAX = 8_000
/** How long the books may take to come to zero, and the platform to serve, after the healing, ms. */
const SOUND_MS_MAX = 60_000

const secondsOf = (ms: number): number => Math.round(ms / 100) / 10

const firing = async ({ alerts }: Pick<DrillDeps<never>, 'alerts'>): Promise<readonly ActiveAlert[]> =>
  (await alerts()).filter(({ state }) => state === 'firing')

const isPage = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): boolean =>
  labels['severity'] === 'critical'

const identity = ({ labels }: { readonly labels: Readonly<Record<string, string>> }): string =>
  JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))

/** Looks until `isDone` or until the time is over; whether it was done. */
const lookUntil = async (
  { nowMs, pause }: Pick<DrillDeps<never>, 'nowMs' | 'pause'>,
  limitMs: number,
  isDone: () => Promise<boolean>,
): Promise<boolean> => {
  for (const endMs = nowMs() + limitMs; ; await pause(LOOK_MS)) {
    if (await isDone()) return true
    if (nowMs() >= endMs) return false
  }
}

/** Asks until the answer is null; the last answer. */
const lastTrouble = async (
  deps: Pick<DrillDeps<never>, 'nowMs' | 'pause'>,
  ask: () => Promise<string | null>,
): Promise<string | null> => {
  let trouble: string | null = null
  await lookUntil(deps, SOUND_MS_MAX, async () => (trouble = await ask()) === null)
  return trouble
}

interface Watch {
  readonly fired: Map<string, number>
  readonly others: Map<string, string>
  /** Pages about slowness that came while the machine was overloaded. */
  readonly excused: Set<string>
}

/** Notes which alerts fire; what fired before the drill began is not its doing. */
const createWatch = <World>(
  mode: Mode<World>,
  deps: DrillDeps<World>,
  before: ReadonlySet<string>,
  startMs: number,
) => {
  const watch: Watch = { fired: new Map(), others: new Map(), excused: new Set() }
  const look = async (): Promise<readonly ActiveAlert[]> => {
    const now = await firing(deps)
    for (const alert of now) {
      const { name, labels } = alert
      if (mode.tells.includes(name)) {
        if (!before.has(identity(alert)) && !watch.fired.has(name)) watch.fired.set(name, deps.nowMs() - startMs)
        continue
      }
      if (before.has(identity(alert))) continue
      if (SLOWNESS_PAGES.includes(name) && deps.isOverloaded()) watch.excused.add(name)
      const note = watch.excused.has(name) ? ', machine overloaded' : ''
      watch.others.set(name, `${name} (${labels['severity'] ?? '?'}${note})`)
    }
    return now
  }
  return { ...watch, look }
}

const judge = <World>(
  mode: Mode<World>,
  told: readonly Notification[],
  before: ReadonlySet<string>,
  excusable: ReadonlySet<string>,
  result: Omit<ModeResult, 'faults' | 'excused'>,
): { readonly faults: string[]; readonly excused: readonly string[] } => {
  const faults: string[] = []
  for (const [name, seconds] of Object.entries(result.firedAfterSeconds))
    if (seconds === null) faults.push(`${name} did not fire`)
  if (faults.length === 0 && result.toldAfterSeconds === null) faults.push(`nobody was told of ${mode.tells[0]}`)
  if (result.clearedAfterSeconds === null) faults.push('its alerts did not end after the healing')
  const expected = new Set([...mode.tells, ...(mode.alongside ?? [])])
  const unrelated = told.filter(
    (one) => one.status === 'firing' && isPage(one) && !expected.has(one.name) && !before.has(identity(one)),
  )
  const names = [...new Set(unrelated.map((one) => one.name))]
  for (const name of names) if (!excusable.has(name)) faults.push(`an unrelated page: ${name}`)
  return { faults, excused: names.filter((name) => excusable.has(name)) }
}

/** Waits until nothing of the drill before is in the air: an alert that fires already can not tell anything. */
const quiet = async <World>(mode: Mode<World>, deps: DrillDeps<World>): Promise<void> => {
  let loud: readonly string[] = []
  const isQuiet = await lookUntil(deps, deps.clearMsMax(mode), async () => {
    const alerts = await deps.alerts()
    loud = alerts.filter(({ name, state }) => mode.tells.includes(name) && state === 'firing').map(({ name }) => name)
    // A page that waits for its time came from the drill before, too.
    return loud.length === 0 && !alerts.some(isPage)
  })
  if (!isQuiet && loud.length > 0) throw new Error(`fired before anything was broken: ${[...new Set(loud)].join(', ')}`)
}

const observe = async <World>(mode: Mode<World>, deps: DrillDeps<World>, heals: Heal[]) => {
  await quiet(mode, deps)
  const before = new Set((await firing(deps)).map(identity))
  const toldBefore = deps.notifications().length
  const startMs = deps.nowMs()
  const told = (): readonly Notification[] => deps.notifications().slice(toldBefore)
  const watch = createWatch(mode, deps, before, startMs)
  heals.push(await mode.inject(deps.world))
  let toldMs: number | null = null
  const look = async (): Promise<void> => {
    await watch.look()
    const isTold = told().some(({ name, status }) => name === mode.tells[0] && status === 'firing')
    if (isTold) toldMs ??= deps.nowMs() - startMs
  }
  await lookUntil(deps, deps.fireMsMax(mode), async () => {
    await look()
    return watch.fired.size === mode.tells.length
  })
  if (watch.fired.size > 0)
    await lookUntil(deps, TOLD_MS_MAX, async () => {
      await look()
      return toldMs !== null
    })
  await heals.pop()?.()
  const healedMs = deps.nowMs()
  const isCleared = await lookUntil(deps, deps.clearMsMax(mode), async () =>
    (await watch.look()).every(({ name }) => !mode.tells.includes(name)),
  )
  const clearedMs = deps.nowMs() - healedMs
  return { before, told, watch, toldMs: toldMs as number | null, clearedMs: isCleared ? clearedMs : null }
}

/** Runs one mode: injects it, waits for its alerts, heals it, waits for their end, and asks for the books and the service. */
export const drill = async <World>(mode: Mode<World>, deps: DrillDeps<World>): Promise<ModeResult> => {
  const { name, title, door, tells } = mode
  const heals: Heal[] = []
  try {
    const { before, told, watch, toldMs, clearedMs } = await observe(mode, deps, heals)
    const served = await lastTrouble(deps, deps.served)
    const books = await lastTrouble(deps, deps.books)
    await watch.look()
    const result = {
      name,
      title,
      door,
      tells,
      firedAfterSeconds: Object.fromEntries(
        tells.map((one) => {
          const firedMs = watch.fired.get(one)
          return [one, firedMs === undefined ? null : secondsOf(firedMs)]
        }),
      ),
      toldAfterSeconds: toldMs === null ? null : secondsOf(toldMs),
      clearedAfterSeconds: clearedMs === null ? null : secondsOf(clearedMs),
      others: [...watch.others.values()].sort(),
    }
    const { faults, excused } = judge(mode, told(), before, watch.excused, result)
    if (served !== null) faults.push(`not served afterwards: ${served}`)
    if (books !== null) faults.push(`the books afterwards: ${books}`)
    return { ...result, faults, excused }
  } catch (error) {
    const faults = [error instanceof Error ? error.message : String(error)]
    const [firedAfterSeconds, others] = [{}, [] as string[]]
    return {
      name,
      title,
      door,
      tells,
      firedAfterSeconds,
      toldAfterSeconds: null,
      clearedAfterSeconds: null,
      others,
      faults,
      excused: [],
    }
  } finally {
    // What broke in between must not stay broken for the next one.
    for (const heal of heals.splice(0)) await heal()
  }
}
