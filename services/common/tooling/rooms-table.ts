/**
 * The rooms of the tree and the arrows between them, as data. A file stands in the first room whose pattern its
 * path matches; a file of a library or service that matches none is an error, so that a new folder gets its arrows
 * decided. An arrow not named here is refused, and no arrows may go in a circle.
 */

/** One room: its name, the paths that belong to it, and the rooms it may import (itself always). */
export interface Room {
  readonly name: string
  readonly paths: RegExp
  readonly imports: readonly string[]
}

const common = (folder: string): RegExp => new RegExp(`^services/common/src/${folder}/`)

/** What carries no behaviour of the platform: arithmetic, codes, text. */
const BASE = ['money', 'codec', 'errors', 'json']
/** `wire` is the kernel's binary headers and the Machine interface: what machines and ports speak. */
const PURE = [...BASE, 'wire']

const LIBRARY_ROOMS: readonly Room[] = [
  { name: 'money', paths: common('money'), imports: ['errors'] },
  { name: 'errors', paths: common('errors'), imports: [] },
  { name: 'json', paths: common('json'), imports: ['errors', 'money'] },
  { name: 'codec', paths: common('codec'), imports: ['errors', 'money', 'json'] },
  { name: 'wire', paths: /^services\/common\/src\/kernel\/(partition|command|outcome|machine)\.ts$/, imports: BASE },
  { name: 'ports', paths: common('ports'), imports: PURE },
  {
    name: 'archive',
    paths: /^services\/common\/src\/kernel\/archive-codec\.ts$/,
    imports: [...PURE, 'ports'],
  },
  { name: 'kernel', paths: common('kernel'), imports: [...PURE, 'ports', 'archive'] },
  { name: 'adapters', paths: common('adapters'), imports: [...PURE, 'ports', 'archive'] },
  { name: 'views', paths: common('views'), imports: [...PURE, 'ports', 'kernel'] },
  { name: 'platform', paths: common('platform'), imports: [...PURE, 'ports'] },
  { name: 'resources', paths: common('resources'), imports: [...PURE, 'ports'] },
  { name: 'config', paths: common('config'), imports: [...BASE, 'ports'] },
  { name: 'telemetry', paths: common('telemetry'), imports: [...PURE, 'ports', 'config'] },
  // Partitions in a process that is told which of them to serve.
  {
    name: 'shard',
    paths: common('shard'),
    imports: [...PURE, 'ports', 'archive', 'kernel', 'adapters', 'views', 'platform', 'config', 'telemetry'],
  },
  // Who tells shards what to serve.
  { name: 'shard-client', paths: common('shard-client'), imports: [...PURE, 'ports', 'views'] },
  // What every main of a separate process shares.
  {
    name: 'process',
    paths: common('process'),
    imports: [...PURE, 'ports', 'kernel', 'adapters', 'views', 'platform', 'resources', 'config', 'telemetry', 'shard'],
  },
  { name: 'simulator', paths: common('simulator'), imports: [...PURE, 'ports', 'config', 'telemetry'] },
]

const LIBRARIES = LIBRARY_ROOMS.map(({ name }) => name)

const TESTKIT: Room = { name: 'testkit', paths: common('testkit'), imports: LIBRARIES }

const RULES_ROOMS: readonly Room[] = [
  { name: 'risk-rules/assembly', paths: /^risk-rules\/assembly\//, imports: [] },
  { name: 'risk-rules', paths: /^risk-rules\/src\//, imports: PURE },
  { name: 'risk-rules/reference', paths: /^risk-rules\/reference\//, imports: [...PURE, 'risk-rules'] },
]

/** Services with machines, projections and an edge; `all-in-one` and `load` see everything. */
const SERVICES = ['trading', 'ledger', 'bridge', 'market', 'gateway', 'mock-bank', 'mock-exchange']

const doorsOf = (service: string): string[] => [`${service}:client`, `${service}:codec`]
const otherDoors = (service: string): string[] => SERVICES.filter((other) => other !== service).flatMap(doorsOf)

/** The rooms of a service, innermost first. Another service sees only `client` and `codec`. */
const roomsOfService = (service: string): Room[] => {
  const room = (name: string, imports: readonly string[]): Room => ({
    name: `${service}:${name}`,
    paths: new RegExp(`^services/${service}/src/${name}/`),
    imports,
  })
  const own = (...names: string[]): string[] => names.map((name) => `${service}:${name}`)
  const doors = otherDoors(service)
  return [
    room('codec', [...PURE, 'risk-rules', ...SERVICES.map((other) => `${other}:codec`)]),
    room('machine', [...PURE, 'risk-rules', ...own('codec'), ...doors.filter((name) => name.endsWith(':codec'))]),
    room('client', [...LIBRARIES, 'risk-rules', ...own('codec'), ...doors]),
    room('projection', [...LIBRARIES, 'risk-rules', ...own('codec', 'client'), ...doors]),
    {
      name: service,
      paths: new RegExp(`^services/${service}/src/`),
      imports: [...LIBRARIES, 'risk-rules', ...own('codec', 'machine', 'client', 'projection'), ...doors],
    },
  ]
}

const SERVICE_ROOMS = SERVICES.flatMap(roomsOfService)

const EVERYTHING = [...LIBRARY_ROOMS, ...RULES_ROOMS, ...SERVICE_ROOMS].map(({ name }) => name)

const EVERY_DOOR = SERVICES.flatMap(doorsOf)

const simulation = (name: string, paths: string, own: readonly string[], others: readonly string[] = []): Room => ({
  name: `simulation:${name}`,
  paths: new RegExp(`^services/simulation/src/(${paths})`),
  imports: [...own.map((room) => `simulation:${room}`), ...others],
})

/**
 * The seeded simulator, innermost first. The auditor knows no machine and no workload: it judges by what clients were told,
 * by the disks and by arithmetic of its own.
 */
const SIMULATION_ROOMS: readonly Room[] = [
  simulation('world', 'world/', [], ['testkit']),
  // What strikes, and how often; who decides when a node is struck has to know the nodes and stands with them.
  simulation('faults', 'faults/', ['world']),
  simulation('report', String.raw`(auditor/finding|run/seed-report)\.ts`, ['faults']),
  simulation('ports', 'ports/', ['world', 'faults'], [...LIBRARIES, 'testkit']),
  simulation('outside', 'outside/', ['world', 'faults', 'ports'], [...LIBRARIES, 'mock-bank', 'mock-exchange']),
  simulation(
    'platform',
    'platform/',
    ['world', 'faults', 'ports', 'outside'],
    [...EVERYTHING, 'testkit', 'all-in-one'],
  ),
  simulation('history', 'history/', [], [...LIBRARIES, ...EVERY_DOOR]),
  simulation('identity', String.raw`workload/identity\.`, ['history'], [...LIBRARIES, ...EVERY_DOOR, 'gateway']),
  simulation(
    'workload',
    'workload/',
    ['world', 'platform', 'history', 'identity', 'report'],
    [...LIBRARIES, ...EVERY_DOOR, 'gateway', 'testkit'],
  ),
  simulation(
    'auditor',
    'auditor/',
    ['ports', 'platform', 'history', 'identity', 'report'],
    [...LIBRARIES, 'risk-rules', ...EVERY_DOOR, 'all-in-one'],
  ),
  simulation('mutants', String.raw`mutants/(?!hunt\.)`, []),
  simulation(
    'run',
    'run/',
    ['world', 'faults', 'report', 'ports', 'platform', 'history', 'workload', 'auditor', 'mutants'],
    LIBRARIES,
  ),
  // The hunt for planted bugs runs seeds, and each run plants them.
  simulation('hunt', String.raw`mutants/hunt\.`, ['report', 'run', 'mutants']),
  simulation('regressions', String.raw`regressions\.ts`, ['faults', 'report']),
  simulation('commands', 'commands/', ['faults', 'report', 'run', 'mutants', 'hunt', 'regressions']),
]

const bench = (name: string, paths: string, own: readonly string[], others: readonly string[] = []): Room => ({
  name: `bench:${name}`,
  paths: new RegExp(`^load/bench/src/(${paths})`),
  imports: [...own.map((room) => `bench:${room}`), ...others],
})

const MEASURED = [...EVERYTHING, 'testkit', 'all-in-one']

/** The benchmarks. What measures knows no report; the runner knows rows only as data, a child loads its own. */
const BENCH_ROOMS: readonly Room[] = [
  bench('row', String.raw`(row|goals)\.ts`, []),
  bench('runner', 'runner/', ['row']),
  bench('report', 'report/', ['row', 'runner']),
  // The market that rows of four groups measure.
  bench('market', String.raw`market\.ts`, [], MEASURED),
  bench('rows/core', 'rows/core/', ['row', 'market'], MEASURED),
  bench('rows/wire', 'rows/wire/', ['row'], MEASURED),
  bench('rows/recovery', 'rows/recovery/', ['row', 'runner', 'market', 'rows/core', 'rows/wire'], MEASURED),
  bench('rows', 'rows/', ['row', 'market', 'rows/core', 'rows/wire', 'rows/recovery'], MEASURED),
  bench('command', String.raw`main\.ts`, ['row', 'runner', 'report']),
]

const operator = (name: string, paths: string, own: readonly string[], others: readonly string[] = []): Room => ({
  name: `operator:${name}`,
  paths: new RegExp(`^operator/src/(${paths})`),
  imports: [...own.map((room) => `operator:${room}`), ...others],
})

/**
 * The operator, innermost first. The runtime knows Kubernetes and nothing of an exchange; each controller knows its own
 * resource.
 */
const OPERATOR_ROOMS: readonly Room[] = [
  operator('runtime', 'runtime/', [], ['ports', 'telemetry', 'config', 'errors']),
  operator('testkit', 'testkit/', ['runtime'], [...LIBRARIES, 'testkit']),
  operator('resources', 'resources/', ['runtime'], ['resources']),
  operator('placement', 'placement/', [], PURE),
  operator('shards', 'shards/', ['runtime', 'resources', 'placement'], LIBRARIES),
  operator('trading-pair', 'trading-pair/', ['runtime', 'resources', 'placement', 'shards'], LIBRARIES),
  operator('bank', 'bank/', ['runtime', 'resources'], LIBRARIES),
  operator('program', '', ['runtime', 'resources', 'placement', 'shards', 'trading-pair', 'bank'], LIBRARIES),
]

const observability = (name: string, own: readonly string[], others: readonly string[] = []): Room => ({
  name: `observability:${name}`,
  paths: new RegExp(`^services/observability/src/${name}/`),
  imports: [...own.map((room) => `observability:${room}`), ...others],
})

/** What the on-call engineer works with. Rules and dashboards know series and objectives only; the drills run the platform. */
const OBSERVABILITY_ROOMS: readonly Room[] = [
  observability('objectives', [], ['telemetry']),
  observability('rules', ['objectives'], ['telemetry']),
  observability('dashboards', ['objectives', 'rules'], ['telemetry']),
  // Prometheus and Alertmanager as processes, and the platform that they watch.
  observability('servers', [], [...MEASURED]),
  // Queries about the operator are asked of the operator, on an API server in memory.
  observability(
    'queries',
    ['objectives', 'rules', 'dashboards', 'servers'],
    [...MEASURED, 'operator:runtime', 'operator:resources', 'operator:testkit'],
  ),
  observability('gameday', ['objectives', 'rules', 'servers'], [...MEASURED]),
  observability('inspect', [], [...EVERYTHING, 'all-in-one']),
  observability('load', [], []),
  observability(
    'commands',
    ['objectives', 'rules', 'dashboards', 'servers', 'queries', 'gameday', 'inspect', 'load'],
    [...MEASURED],
  ),
]

/** The client that others build on: it knows the wire and nothing of the platform's code. */
const CLIENT_ROOM: Room = { name: 'client', paths: /^services\/client\/src\//, imports: [] }

/** What of the platform runs in a browser too: arithmetic, codes, and the machine that the engine runs. */
const IN_BROWSER = ['money', 'errors', 'codec', 'wire', 'risk-rules']

const desk = (name: string, own: readonly string[], others: readonly string[] = []): Room => ({
  name: `console:${name}`,
  paths: new RegExp(`^services/console/src/${name}/`),
  imports: [...own.map((room) => `console:${room}`), ...others],
})

/** The console, innermost first. A page knows no other page; only the app knows them all. */
const CONSOLE_ROOMS: readonly Room[] = [
  desk('format', [], IN_BROWSER),
  desk('maths', ['format'], [...IN_BROWSER, 'client']),
  desk('session', ['format', 'maths'], [...IN_BROWSER, 'client']),
  desk('design', ['format']),
  desk('trader', ['format', 'maths', 'session', 'design'], [...IN_BROWSER, 'client']),
  desk('bank', ['format', 'session', 'design'], [...IN_BROWSER, 'client']),
  desk('platform', ['format', 'session', 'design'], [...IN_BROWSER, 'client']),
  desk('app', ['format', 'maths', 'session', 'design', 'trader', 'bank', 'platform'], ['client']),
]

/** Every room, the more particular pattern before the more general. */
export const ROOMS: readonly Room[] = [
  ...LIBRARY_ROOMS,
  TESTKIT,
  ...RULES_ROOMS,
  ...SERVICE_ROOMS,
  { name: 'all-in-one', paths: /^services\/all-in-one\/src\//, imports: EVERYTHING },
  ...SIMULATION_ROOMS,
  ...BENCH_ROOMS,
  ...OPERATOR_ROOMS,
  ...OBSERVABILITY_ROOMS,
  CLIENT_ROOM,
  ...CONSOLE_ROOMS,
  { name: 'load', paths: /^load\//, imports: [...MEASURED, ...BENCH_ROOMS.map(({ name }) => name)] },
]

/** Files that must stand in a room. Tests, tools and the rest may import what they like. */
export const NEEDS_ROOM = /^(services\/[^/]+\/src|risk-rules\/(src|reference|assembly)|operator\/src|load)\/.*\.tsx?$/
