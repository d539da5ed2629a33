/** One situation: what series show, and which alerts of one name fire at a time. */
export interface RuleCase {
  readonly alert: string
  /** What is going on, as the end of "fires …" or "is quiet …". */
  readonly when: string
  /** Series with their labels but for the namespace; values in promtool's notation, one each 15 s (or `intervalSeconds`). */
  readonly series: Readonly<Record<string, string>>
  readonly atSeconds: number
  /** Labels of each alert that fires, all that its texts name among them; none when it must be quiet. */
  readonly fires: readonly Readonly<Record<string, string>>[]
  readonly intervalSeconds?: number
}

/** Values each 15 s for ten minutes. */
export const TEN_MINUTES = 40

type Fires = RuleCase['fires']

/** Cases of one alert: what makes it fire, and what must not. */
export const casesOf =
  (alert: string, intervalSeconds = 15) =>
  (
    ...cases: readonly (readonly [when: string, series: RuleCase['series'], atSeconds: number, fires: Fires])[]
  ): readonly RuleCase[] =>
    cases.map(([when, series, atSeconds, fires]) => ({ alert, when, series, atSeconds, fires, intervalSeconds }))
