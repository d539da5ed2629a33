/**
 * Jest's TypeScript transformer: Node's own type stripping, the same that runs the services, so a test never
 * sees other semantics than production does. Stripping keeps every position: stack traces need no source map.
 */
import { createHash } from 'node:crypto'
import { stripTypeScriptTypes } from 'node:module'

const key = `strip:${process.version}:1`

export default {
  canInstrument: false,
  getCacheKey: (sourceText, sourcePath) =>
    createHash('sha256').update(key).update('\0').update(sourcePath).update('\0').update(sourceText).digest('hex'),
  process: (sourceText) => ({ code: stripTypeScriptTypes(sourceText, { mode: 'strip' }) }),
}
