/** One vector selector of an expression. */
export interface Selector {
  /** Null where only matchers name it: `{__name__=~"…"}`. */
  readonly name: string | null
  /** As it stands, without range and offset: `up{job="x"}`. */
  readonly text: string
}

const TOKENS = new RegExp(
  [
    '(?<space>\\s+|#[^\\n]*)',
    '(?<text>"(?:[^"\\\\]|\\\\.)*"|\'(?:[^\'\\\\]|\\\\.)*\'|`[^`]*`)',
    '(?<number>0x[0-9a-fA-F]+|[0-9][0-9.]*(?:e[+-]?[0-9]+)?(?:ms|[smhdwy])?(?:[0-9]+(?:ms|[smhdwy]))*)',
    '(?<word>[a-zA-Z_:][a-zA-Z0-9_:]*)',
    '(?<variable>\\$\\w+|\\$\\{\\w+\\})',
    '(?<sign>.)',
  ].join('|'),
  'gsy',
)

/** Before a list of labels in brackets. */
const BEFORE_LABELS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'])
/** After an aggregation's name, before its labels. */
const AGGREGATED = new Set(['by', 'without'])
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan', 'group_left', 'group_right'])

interface Token {
  readonly kind: string
  readonly text: string
  readonly at: number
}

const tokensOf = (expr: string): readonly Token[] =>
  [...expr.matchAll(TOKENS)].flatMap((match) => {
    const [kind] = Object.entries(match.groups!).find(([, text]) => text !== undefined)!
    return kind === 'space' ? [] : [{ kind, text: match[0], at: match.index }]
  })

/** Index of the token after the one that closes what opens at `from`. */
const afterClosing = (tokens: readonly Token[], from: number, close: string): number => {
  const end = tokens.findIndex(({ kind, text }, index) => index > from && kind === 'sign' && text === close)
  if (end < 0) throw new Error(`nothing closes at ${tokens[from]!.at}: ${close} is missing`)
  return end + 1
}

/**
 * Every vector selector of a PromQL expression, in the order in which they stand.
 * @throws where brackets of matchers, labels or ranges are not closed
 */
export const selectorsOf = (expr: string): readonly Selector[] => {
  const tokens = tokensOf(expr)
  const found: Selector[] = []
  const textTo = (from: Token, next: number): string => {
    const last = tokens[next - 1]!
    return expr.slice(from.at, last.at + last.text.length)
  }
  for (let index = 0; index < tokens.length;) {
    const token = tokens[index]!
    const follows = tokens[index + 1]?.text
    if (token.text === '[') index = afterClosing(tokens, index, ']')
    else if (token.text === '{') {
      const next = afterClosing(tokens, index, '}')
      found.push({ name: null, text: textTo(token, next) })
      index = next
    } else if (token.kind !== 'word') index += 1
    else if (BEFORE_LABELS.has(token.text.toLowerCase()) && follows === '(')
      index = afterClosing(tokens, index + 1, ')')
    else if (follows === '(' || AGGREGATED.has(follows ?? '') || OPERATORS.has(token.text.toLowerCase())) index += 1
    else {
      const next = follows === '{' ? afterClosing(tokens, index + 1, '}') : index + 1
      found.push({ name: token.text, text: textTo(token, next) })
      index = next
    }
  }
  return found
}
