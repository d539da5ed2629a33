import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common'
import * as common from '@grafana/grafana-foundation-sdk/common'
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import type { Limits, Panel } from './specification.ts'

/** The builders’ common ground. */
export type Visual = timeseries.PanelBuilder | stat.PanelBuilder | statetimeline.PanelBuilder | table.PanelBuilder

/** Steps from the lowest value up; the first holds from below everything. */
const stepsOf = ({ bad, warning, critical }: Limits): dashboard.Threshold[] => {
  const lowest = (color: string): dashboard.Threshold => ({ value: null, color })
  if (bad === 'above') {
    const middle = warning === undefined ? [] : [{ value: warning, color: 'orange' }]
    return [lowest('green'), ...middle, { value: critical, color: 'red' }]
  }
  if (warning === undefined) return [lowest('red'), { value: critical, color: 'green' }]
  return [lowest('red'), { value: critical, color: 'orange' }, { value: warning, color: 'green' }]
}

const thresholdsOf = (limits: Limits): Builder<dashboard.ThresholdsConfig> =>
  new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(stepsOf(limits))

const NEUTRAL: Builder<dashboard.ThresholdsConfig> = new dashboard.ThresholdsConfigBuilder()
  .mode(dashboard.ThresholdsMode.Absolute)
  .steps([{ value: null, color: 'blue' }])

const mappingsOf = (words: Panel['words']): dashboard.ValueMapping[] =>
  words === undefined ? [] : [{ type: dashboard.MappingType.ValueToText, options: { ...words } }]

const linesOf = ({ limits }: Panel): Visual => {
  const visual = new timeseries.PanelBuilder()
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  if (limits === undefined) return visual
  return visual.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
}

const numberOf = (): Visual =>
  new stat.PanelBuilder()
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.Area)
    .textMode(BigValueTextMode.ValueAndName)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))

const statesOf = (): Visual =>
  new statetimeline.PanelBuilder()
    .mergeValues(true)
    .lineWidth(0)
    .fillOpacity(80)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false).displayMode(LegendDisplayMode.Hidden))

/** Labels that say the same in every line. */
const HIDDEN_COLUMNS = { Time: true, Value: true, __name__: true, namespace: true, instance: true, job: true }

const tableOf = (): Visual =>
  new table.PanelBuilder()
    .showHeader(true)
    .withTransformation({ id: 'organize', options: { excludeByName: HIDDEN_COLUMNS } })

const VIEWS = { lines: linesOf, number: numberOf, states: statesOf, table: tableOf } as const

/** A panel’s picture with its colours and limits, without place, words and queries. */
export const visualOf = (panel: Panel): Visual => {
  const visual = VIEWS[panel.view ?? 'lines'](panel)
  visual.thresholds(panel.limits === undefined ? NEUTRAL : thresholdsOf(panel.limits))
  visual.mappings(mappingsOf(panel.words))
  if (panel.decimals !== undefined) visual.decimals(panel.decimals)
  return visual
}
