import { BRIDGE } from './bridge.ts'
import { BROKER } from './broker.ts'
import { MARKET } from './market.ts'
import { MONEY } from './money.ts'
import { NODE } from './node.ts'
import { OPERATOR } from './operator.ts'
import { OVERVIEW } from './overview.ts'
import { renderDashboard } from './render.ts'
import { SHARDS } from './shards.ts'
import { fileOf, type Dashboard, type DashboardUid } from './specification.ts'

/** The dashboards as they are told, in the order in which a person looks. */
export const SOURCES: readonly Dashboard[] = [OVERVIEW, SHARDS, MONEY, BRIDGE, MARKET, BROKER, OPERATOR, NODE]

/** A dashboard and where the chart keeps it. */
export interface RenderedDashboard {
  readonly uid: DashboardUid
  readonly file: string
  readonly json: object
}

const titles: ReadonlyMap<DashboardUid, string> = new Map(SOURCES.map(({ uid, title }) => [uid, title]))

/** Every dashboard as Grafana reads it. */
export const DASHBOARDS: readonly RenderedDashboard[] = SOURCES.map((source) => ({
  uid: source.uid,
  file: fileOf(source.uid),
  json: renderDashboard(source, titles),
}))
