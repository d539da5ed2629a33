import { openApiDocument } from './document.ts'
import { allSpecs } from './specs.ts'

/** The text of `docs/openapi.json`. */
export const generate = (): string => `${JSON.stringify(openApiDocument(allSpecs), null, 2)}\n`
