const HAS_OWN_PLACE = new Set(['name', 'message', 'stack', 'cause', 'errors'])

/**
 * An error as a plain object: type, message, stack, its cause and what else stands on it. Causes and the errors of an aggregate
 * stay errors, to be looked at in their turn.
 */
export const errorView = (error: Error): Readonly<Record<string, unknown>> => {
  const view: Record<string, unknown> = { type: error.constructor.name, message: error.message, stack: error.stack }
  for (const key of Object.keys(error))
    if (!HAS_OWN_PLACE.has(key)) view[key] = (error as unknown as Record<string, unknown>)[key]
  if (error.cause !== undefined) view['cause'] = error.cause
  if (error instanceof AggregateError) view['aggregateErrors'] = error.errors
  return view
}
