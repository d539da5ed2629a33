import type { ReceivedSpan } from './otlp-sink.ts'

const shownMs = (ms: number): string => `${ms.toFixed(2)} ms`

const details = ({ attributes, links, error }: ReceivedSpan): string => {
  const one = (label: string, name: string): string =>
    attributes[name] === undefined ? '' : ` ${label}${attributes[name]}`
  const shown = [
    one('', 'bourse.outcome'),
    one('record ', 'bourse.sequence'),
    one('of ', 'messaging.batch.message_count'),
    one('status ', 'http.response.status_code'),
    links.length === 0 ? '' : ` ${links.length} links`,
    error === null ? '' : ` ERROR ${error}`,
  ]
  return shown.join('')
}

const PROGRAM_COLUMNS = 11

/** `ledger-1` of the service `bourse-ledger`; a program without a name of its own is called as its service. */
const programOf = ({ service, instance }: ReceivedSpan): string => {
  const program = service.replace(/^bourse-/, '')
  return (instance.startsWith(program) ? instance : program).padEnd(PROGRAM_COLUMNS)
}

/** A trace as a tree, a line for each span: name, program, when it began after the first, how long it took. */
export const renderTrace = (spans: readonly ReceivedSpan[]): string => {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const childrenOf = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== null && ids.has(parentSpanId) ? parentSpanId : '',
  )
  const begunMs = Math.min(...spans.map(({ startMs }) => startMs))
  const lines: { readonly name: string; readonly span: ReceivedSpan }[] = []
  const collect = (span: ReceivedSpan, stem: string, branch: string): void => {
    lines.push({ name: `${stem}${branch}${span.name}`, span })
    const children = (childrenOf.get(span.spanId) ?? []).toSorted((one, other) => one.startMs - other.startMs)
    const below = branch === '' ? stem : `${stem}${branch === '└─ ' ? '   ' : '│  '}`
    children.forEach((child, index) => collect(child, below, index === children.length - 1 ? '└─ ' : '├─ '))
  }
  for (const root of childrenOf.get('') ?? []) collect(root, '', '')
  const columns = Math.max(...lines.map(({ name }) => name.length))
  const drawn = lines.map(({ name, span }) => {
    const begin = `+${shownMs(span.startMs - begunMs)}`.padStart(12)
    const took = shownMs(span.endMs - span.startMs).padStart(12)
    return `${name.padEnd(columns)} ${begin} ${took}  ${programOf(span)}${details(span)}`.trimEnd()
  })
  return `${drawn.join('\n')}\n`
}
