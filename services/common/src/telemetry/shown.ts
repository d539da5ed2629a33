import type { SeriesOfType } from './catalogue/catalogue.ts'
import type { GaugeSeries, Labels } from './metrics.ts'

/** One set of labels and its value. */
export type ShownRow<Name extends SeriesOfType<'gauge'>> = readonly [labels: Labels<Name>, value: number]

/** Gauges that somebody shows as a whole, time and again: what is not there any more disappears. */
export interface Shown<Name extends SeriesOfType<'gauge'>> {
  /** Shows these rows and, of those that the same `of` had shown before, no others. */
  show(of: string, rows: readonly ShownRow<Name>[]): void
  forget(of: string): void
}

/** Makes the keeper of a gauge's rows. */
export const createShown = <Name extends SeriesOfType<'gauge'>>(gauge: GaugeSeries<Name>): Shown<Name> => {
  const shown = new Map<string, ReadonlyMap<string, Labels<Name>>>()
  const show = (of: string, rows: readonly ShownRow<Name>[]): void => {
    const now = new Map(rows.map(([labels]) => [JSON.stringify(labels), labels]))
    for (const [key, labels] of shown.get(of) ?? []) if (!now.has(key)) gauge.remove(labels)
    for (const [labels, value] of rows) gauge.set(labels, value)
    if (now.size > 0) shown.set(of, now)
    else shown.delete(of)
  }
  return { show, forget: (of) => show(of, []) }
}
