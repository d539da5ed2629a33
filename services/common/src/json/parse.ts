/**
 * JSON as clients send it, with the source text of every number kept: an amount is read from what was written,
 * never through a binary float.
 */

/** A JSON value. Numbers are floats here: fit for counts, never for money; see `JsonDocument.numberText`. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** A parsed document. */
export interface JsonDocument {
  readonly value: JsonValue
  /** The source text of the number that `holder` (an object or array of this document) has at `key`. */
  numberText(holder: object, key: string | number): string | undefined
}

/** Why a text was refused; the message says what to change. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/** Deepest nesting of objects and arrays. */
export const JSON_DEPTH_MAX = 16

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const DIGIT_ZERO = 0x30
const DIGIT_NINE = 0x39
const OPENING = new Set([0x7b, 0x5b])
const CLOSING = new Set([0x7d, 0x5d])
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])

/** Index behind the string that starts at `start`; the text's length when it does not end. */
const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at += 1
    else if (code === QUOTE) return at + 1
  }
  return text.length
}

const skipBlanks = (text: string, start: number): number => {
  let at = start
  while (BLANKS.has(text.charCodeAt(at))) at += 1
  return at
}

const keyOf = (source: string): string => {
  if (!source.includes('\\')) return source.slice(1, -1)
  try {
    return JSON.parse(source) as string
  } catch {
    throw new JsonError('the body is not JSON: a name has a bad escape')
  }
}

const addKey = (keys: Set<string>, key: string): void => {
  if (key === '__proto__') throw new JsonError('the name "__proto__" is not accepted; remove it')
  if (keys.has(key)) throw new JsonError(`the name ${JSON.stringify(key.slice(0, 40))} is given twice; send it once`)
  keys.add(key)
}

/**
 * Walks the text once before it is parsed: bounds the depth (the reviver recurses) and refuses names that appear twice in
 * one object, of which a parser would silently drop one. Says nothing about the rest of the grammar, but whether there can
 * be numbers in it: every number has a digit outside the strings.
 */
const scanStructure = (text: string): { readonly mayHoldNumbers: boolean } => {
  const open: Set<string>[] = []
  let mayHoldNumbers = false
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      const keys = open.at(-1)
      if (keys !== undefined && text.charCodeAt(skipBlanks(text, end)) === COLON)
        addKey(keys, keyOf(text.slice(at, end)))
      at = end
      continue
    }
    if (OPENING.has(code)) {
      open.push(new Set())
      if (open.length > JSON_DEPTH_MAX) throw new JsonError(`the body is nested deeper than ${JSON_DEPTH_MAX} levels`)
    } else if (CLOSING.has(code)) {
      open.pop()
    } else if (code >= DIGIT_ZERO && code <= DIGIT_NINE) {
      mayHoldNumbers = true
    }
    at += 1
  }
  return { mayHoldNumbers }
}

const noNumber = (): undefined => undefined

/**
 * Parses a JSON text (RFC 8259), keeping the source text of numbers.
 * @throws {JsonError} when it is not JSON, is nested too deeply, repeats a name in an object or uses the name `__proto__`
 */
export const parseJson = (text: string): JsonDocument => {
  const { mayHoldNumbers } = scanStructure(text)
  const texts = new WeakMap<object, Map<string, string>>()
  const remember = function (
    this: unknown,
    key: string,
    value: unknown,
    context: { readonly source?: string },
  ): unknown {
    if (typeof value === 'number' && context.source !== undefined) {
      const holder = this as object
      const known = texts.get(holder)
      if (known === undefined) texts.set(holder, new Map([[key, context.source]]))
      else known.set(key, context.source)
    }
    return value
  }
  try {
    // Without a number there is no source text to keep, and the reviver costs more than the parsing.
    if (!mayHoldNumbers) return { value: JSON.parse(text) as JsonValue, numberText: noNumber }
    // The library's types know the reviver without its third argument, which every supported runtime passes.
    const value = JSON.parse(text, remember as (this: unknown, key: string, value: unknown) => unknown) as JsonValue
    return { value, numberText: (holder, key) => texts.get(holder)?.get(String(key)) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new JsonError(`the body is not JSON: ${error.message.slice(0, 120)}`, { cause: error })
  }
}
