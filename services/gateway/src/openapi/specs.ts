import { adminSpecs } from '../admin/specs.ts'
import { authSpecs } from '../auth/specs.ts'
import { deskSpecs } from '../bank/desk-specs.ts'
import { bankSpecs } from '../bank/specs.ts'
import { engineSpec } from '../engine/specs.ts'
import { healthSpecs } from '../health/routes.ts'
import type { RouteSpec } from '../http/route.ts'
import { marketSpecs } from '../market/specs.ts'
import { sandboxSpecs } from '../sandbox/specs.ts'
import { tradeSpecs } from '../trades/specs.ts'
import { docsSpecs } from './docs.ts'

/** Every route of the gateway as data, in the document's order. */
export const allSpecs: readonly RouteSpec[] = [
  ...Object.values(authSpecs),
  engineSpec,
  ...Object.values(tradeSpecs),
  ...Object.values(marketSpecs),
  ...Object.values(bankSpecs),
  ...Object.values(deskSpecs),
  ...Object.values(sandboxSpecs),
  ...Object.values(adminSpecs),
  ...Object.values(healthSpecs),
  ...Object.values(docsSpecs),
]
