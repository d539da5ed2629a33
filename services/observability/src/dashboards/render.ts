import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard'
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus'
import { ALERTS } from '../rules/rules.ts'
import { select } from './promql.ts'
import { UNITS, type Choice, type Dashboard, type DashboardUid, type Panel, type Row } from './specification.ts'
import { visualOf } from './visual.ts'

const COLUMNS = 24
const PANEL_WIDTH = 8
const PANEL_HEIGHT = 8
const TAG = 'bourse'
/** Chosen at the top of the dashboard; nothing names a data source. */
const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' } as const
/** Where runbooks are read when nobody says otherwise: their folder in the repository. */
const RUNBOOKS = 'docs/runbooks'

const dashboardLink = (uid: DashboardUid, titles: ReadonlyMap<DashboardUid, string>) =>
  new dashboard.DashboardLinkBuilder(`Go on to ${titles.get(uid)!}`)
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${uid}?\${__url_time_range}&\${datasource:queryparam}&\${namespace:queryparam}`)

/** Names of the alerts that a panel explains: those that it names, and those that name it. */
const alertsOf = ({ alerts = [], title }: Panel, uid: DashboardUid): readonly string[] => {
  const pointing = ALERTS.filter((rule) => rule.dashboard === uid && rule.panel === title)
  return [...new Set([...alerts, ...pointing.map(({ alert }) => alert)])]
}

const runbookLink = (alert: string) =>
  new dashboard.DashboardLinkBuilder(`Runbook of ${alert}`)
    .type(dashboard.DashboardLinkType.Link)
    .url(`\${runbooks}/${alert}.md`)
    .targetBlank(true)

/** What the reader is told: what it is, what good looks like, what to do. */
const wordsOf = ({ shows, good, otherwise }: Panel): string =>
  `${shows}\n\n**Good:** ${good}\n\n**If not:** ${otherwise}`

const refIdOf = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index)

const queriesOf = ({ queries, view }: Panel) =>
  queries.map(({ expr, legend }, index) => {
    const query = new prometheus.DataqueryBuilder()
      .refId(refIdOf(index))
      .datasource(DATA_SOURCE)
      .expr(expr)
      .legendFormat(legend)
      .editorMode(prometheus.QueryEditorMode.Code)
    return view === 'table' ? query.instant().format(prometheus.PromQueryFormat.Table) : query.range()
  })

interface Context {
  readonly uid: DashboardUid
  readonly titles: ReadonlyMap<DashboardUid, string>
}

const panelOf = (panel: Panel, id: number, place: dashboard.GridPos, { uid, titles }: Context) => {
  const links = [
    ...alertsOf(panel, uid).map(runbookLink),
    ...(panel.seeAlso ?? []).map((other) => dashboardLink(other, titles)),
  ]
  const visual = visualOf(panel)
  visual.id(id)
  visual.title(panel.title)
  visual.description(wordsOf(panel))
  visual.unit(UNITS[panel.unit])
  visual.datasource(DATA_SOURCE)
  visual.gridPos(place)
  visual.targets(queriesOf(panel))
  if (links.length > 0) visual.links(links)
  return visual
}

/** Puts the rows’ panels one beside the other, each row under a line of its own. */
const placeAll = (
  rows: readonly Row[],
  on: {
    readonly row: (row: Row, place: dashboard.GridPos) => void
    readonly panel: (panel: Panel, place: dashboard.GridPos) => void
  },
): void => {
  let y = 0
  for (const row of rows) {
    on.row(row, { x: 0, y: y++, w: COLUMNS, h: 1 })
    let [x, height] = [0, 0]
    for (const panel of row.panels) {
      const [w, h] = [panel.width ?? PANEL_WIDTH, panel.height ?? PANEL_HEIGHT]
      if (x + w > COLUMNS) [x, y, height] = [0, y + height, 0]
      on.panel(panel, { x, y, w, h })
      ;[x, height] = [x + w, Math.max(height, h)]
    }
    y += height
  }
}

const choiceOf = ({ name, label, query }: Choice) =>
  new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATA_SOURCE)
    .query({ query, refId: name })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })

/** Everywhere: the data source, the namespace; then the dashboard’s own choices; hidden: where runbooks are. */
const variablesOf = ({ choices }: Dashboard) => [
  new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
  new dashboard.QueryVariableBuilder('namespace')
    .label('Namespace')
    .datasource(DATA_SOURCE)
    .query({ query: 'label_values(bourse_build_info, namespace)', refId: 'namespace' })
    .definition('label_values(bourse_build_info, namespace)')
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc),
  ...choices.map(choiceOf),
  new dashboard.ConstantVariableBuilder('runbooks').value(RUNBOOKS),
]

const alertAnnotation = () =>
  new dashboard.AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(DATA_SOURCE)
    .enable(true)
    .iconColor('red')
    .expr(select('ALERTS', { alertstate: 'firing' }))
    .titleFormat('{{alertname}}')
    .textFormat('{{severity}} {{component}} {{pod}}')
    .tagKeys('severity')
    .step('15s')

/** The dashboard as Grafana reads it. */
export const renderDashboard = (source: Dashboard, titles: ReadonlyMap<DashboardUid, string>): object => {
  const builder = new dashboard.DashboardBuilder(`Bourse / ${source.title}`)
    .uid(source.uid)
    .description(source.description)
    .tags([TAG])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .readonly()
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder('Bourse')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .variables(variablesOf(source))
    .annotation(alertAnnotation())
  let id = 0
  placeAll(source.rows, {
    row: (row, place) => builder.withRow(new dashboard.RowBuilder(row.title).id(++id).gridPos(place)),
    panel: (panel, place) => builder.withPanel(panelOf(panel, ++id, place, { uid: source.uid, titles })),
  })
  return builder.build()
}
