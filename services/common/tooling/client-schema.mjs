/** The client's types, from the OpenAPI document as the gateway makes it: they are of the sources, not of the written file. */
import openapiTypes, { astToString } from 'openapi-typescript'
import { generate as generateDocument } from '../../gateway/src/openapi/generate.ts'

const HEAD = '/** The types of docs/openapi.json. Written by `npm run generate`. */\n\n'

/**
 * The document without discriminators: every alternative says its own constant, while for a discriminator without a mapping
 * the types would say the name of the schema (`"CreateTrade"`) in the constant's place (`"CREATE_TRADE"`).
 */
const withoutDiscriminators = (name, value) => (name === 'discriminator' ? undefined : value)

/** The text of `services/client/src/generated/schema.ts`. */
export const generate = async () =>
  HEAD + astToString(await openapiTypes(JSON.parse(generateDocument(), withoutDiscriminators)))
