import { errorView } from './error-view.ts'

/** What stands in the place of a secret. */
export const REDACTED = '[redacted]'

/** How deep a logged value is shown; what lies deeper is named `[deep]`. */
const DEPTH_MAX = 12
/** Elements of one list, and properties and elements of one logged value; the rest is left out and said to be. */
const ELEMENTS_MAX = 200
const PARTS_MAX = 2_000
/** Characters of one text; longer ones are cut. */
const TEXT_MAX = 32_768
/** How much more of it is looked at, and thrown away again: what the cut goes through is not known for a secret. */
const TEXT_BEYOND = 4_096
/** Characters of all texts of one logged value: looking for secrets takes time, and that must not be somebody else's choice. */
const TEXTS_MAX = 131_072
/** A known secret that is shorter would be found by chance. */
const KNOWN_LENGTH_MIN = 6

/** Parts of names whose values are secrets, written without `-` and `_`. */
const SECRET_NAME =
  /password|passwd|passphrase|secret|token|apikey|accesskey|privatekey|authorization|cookie|signature|credential|jwt|sessionid/

/** Whether a field, header or parameter of this name holds a secret. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name.toLowerCase().replaceAll(/[-_]/g, ''))

const WORDS = [
  'pass(?:word|wd|phrase)',
  'secret|token|authorization|cookie|signature|credential|jwt',
  '(?:api|access|private)[-_]?key',
  'session[-_]?id',
].join('|')
/**
 * A value as it stands in JSON, in JSON within JSON (there its quotes have as many backslashes before them at its end as at its
 * begin), in single quotes, or bare.
 */
const VALUE = String.raw`(?<slashes>\\{0,15})"(?:(?!(?<!\\)\k<slashes>")[\s\S])*|'[^']*|[^\s,;&"'<>{}()[\]\\]+`

/** What a secret looks like within a text, and what is left of it. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, REDACTED],
  // Who signs in at a server: everything before the last @ of the authority.
  [/([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s"'<>\\/?#]*@/gi, `$1${REDACTED}@`],
  [/\beyJ[\w-]{6,1024}\.[\w-]{6,}(?:\.[\w-]*)?/g, REDACTED],
  [/\b(Bearer|Basic|Digest)\s+[\w.~+/=-]{6,}/g, `$1 ${REDACTED}`],
  [/\b(bearer)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  // A header with all that follows on its line: cookies and signatures have many parts, and an authorization a scheme.
  [
    /\b((?:set-)?cookie|(?:proxy-)?authorization|x-[\w-]{0,32}signature)(\s*:\s*)(?!["'\s\\])[^\r\n"'\\]+/gi,
    `$1$2${REDACTED}`,
  ],
  [
    new RegExp(String.raw`([\w-]{0,32}(?:${WORDS})[\w-]{0,32})(\\*["']?\s*[:=]\s*)(?:${VALUE})`, 'gi'),
    `$1$2${REDACTED}`,
  ],
  [/([?&](?:key|sig|pass|pwd|auth)=)[^&\s"'<>#\\]+/gi, `$1${REDACTED}`],
]

/** Takes secrets out of what is to be read by others. */
export interface Redactor {
  /** A text without what looks like a secret or is known to be one. */
  text(text: string): string
  /**
   * A copy of a value in which fields with a secret's name and texts within are without secrets. Errors become plain objects,
   * bytes their number; it is bounded in depth and size and never throws.
   */
  value(value: unknown): unknown
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)

/** A pattern that finds the known secrets, also percent-encoded and as part of a URL; null when none is long enough. */
const patternOfKnown = (secrets: readonly string[]): RegExp | null => {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
  const known = [...new Set(forms)].filter((form) => form.length >= KNOWN_LENGTH_MIN)
  if (known.length === 0) return null
  // The longest first: one may begin with another.
  return new RegExp(
    known
      .sort((one, other) => other.length - one.length)
      .map(escaped)
      .join('|'),
    'g',
  )
}

/** Makes a redactor that also knows some secrets by their text: of these nothing comes through wherever they stand. */
export const createRedactor = (secrets: readonly string[] = []): Redactor => {
  const known = patternOfKnown(secrets)

  const text = (given: string): string => {
    const isCut = given.length > TEXT_MAX + TEXT_BEYOND
    const looked = isCut ? given.slice(0, TEXT_MAX + TEXT_BEYOND) : given
    let clean = known === null ? looked : looked.replaceAll(known, REDACTED)
    for (const [pattern, left] of PATTERNS) clean = clean.replaceAll(pattern, left)
    if (!isCut && clean.length <= TEXT_MAX) return clean
    const sure = isCut ? Math.max(0, clean.length - TEXT_BEYOND) : clean.length
    return `${clean.slice(0, Math.min(TEXT_MAX, sure))}… ${given.length - TEXT_MAX} more`
  }

  const value = (given: unknown): unknown => {
    const budget = { left: PARTS_MAX, characters: TEXTS_MAX }
    const above = new Set<object>()

    const bounded = (held: string): string => {
      if (budget.characters <= 0) return '[more]'
      budget.characters -= Math.min(held.length, TEXT_MAX)
      return text(held)
    }
    const field = (name: string, held: unknown, depth: number): unknown => {
      const isPlain = held === null || held === undefined || typeof held === 'boolean' || typeof held === 'number'
      return isSecretName(name) && !isPlain ? REDACTED : shown(held, depth)
    }
    const list = (held: readonly unknown[], depth: number): unknown[] => {
      const taken: unknown[] = []
      for (const [index, element] of held.entries()) {
        if (index >= ELEMENTS_MAX || budget.left-- <= 0) return [...taken, `[${held.length - index} more]`]
        const before = held[index - 1]
        // Raw headers: name and value in turn.
        const isNamed = typeof before === 'string' && typeof element === 'string' && isSecretName(before)
        taken.push(isNamed ? REDACTED : shown(element, depth))
      }
      return taken
    }
    const fields = (held: object, depth: number): Record<string, unknown> => {
      const taken: Record<string, unknown> = {}
      const { name } = held as { name?: unknown }
      for (const key of Object.keys(held)) {
        if (budget.left-- <= 0) return { ...taken, more: '[more]' }
        // As the environment of a container lists its variables: {name, value}.
        const named = key === 'value' && typeof name === 'string' ? name : key
        taken[bounded(key)] = field(named, (held as Record<string, unknown>)[key], depth)
      }
      return taken
    }
    const within = (held: object, depth: number): unknown => {
      if (held instanceof Error) return fields(errorView(held), depth)
      if (ArrayBuffer.isView(held)) return `[${held.byteLength} bytes]`
      if (held instanceof Map || held instanceof Set) return `[${held.constructor.name} of ${held.size}]`
      const { toJSON } = held as { toJSON?: unknown }
      if (typeof toJSON === 'function') return shown(toJSON.call(held), depth)
      return Array.isArray(held) ? list(held, depth) : fields(held, depth)
    }
    const shown = (held: unknown, depth: number): unknown => {
      if (typeof held === 'string') return bounded(held)
      if (typeof held !== 'object' || held === null) return typeof held === 'function' ? undefined : held
      if (above.has(held)) return '[circular]'
      if (depth >= DEPTH_MAX) return '[deep]'
      above.add(held)
      try {
        return within(held, depth + 1)
      } catch {
        // A getter or toJSON that throws: the line is worth more than the field.
        return '[unreadable]'
      } finally {
        above.delete(held)
      }
    }
    return shown(given, 0)
  }

  return { text, value }
}
