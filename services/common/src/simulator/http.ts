/**
 * What the simulator's routes share: reading and checking an input, sending an answer, cutting a connection.
 */
import type { Ajv, ValidateFunction } from 'ajv'
import type { Context } from 'koa'
import { readJsonBody } from './body.ts'
import { refusal, type Answer } from './call.ts'

/**
 * An input that passed its schema (`bytes`: the body as it came), or its refusal; `logged` is its JSON text.
 */
export type Input =
  | { readonly ok: true; readonly value: unknown; readonly bytes: Buffer; readonly logged: string }
  | { readonly ok: false; readonly refused: Answer; readonly logged: string }

/** Reads a request's JSON body, or its query and path parameters as one object, and checks it. */
export const readInput = async (
  ajv: Ajv,
  validate: ValidateFunction,
  context: Context,
  from: 'body' | 'query',
): Promise<Input> => {
  let value: unknown = { ...context.query, ...(context['params'] as Record<string, string>) }
  let bytes: Buffer = Buffer.alloc(0)
  if (from === 'body') {
    const body = await readJsonBody(context.req)
    if (!body.ok) return { ok: false, refused: refusal(body.status, body.code, body.message), logged: 'null' }
    ;({ value, bytes } = body)
  }
  const logged = JSON.stringify(value)
  if (validate(value)) return { ok: true, value, bytes, logged }
  const message = ajv.errorsText(validate.errors, { dataVar: from })
  return { ok: false, refused: refusal(400, 'INVALID_REQUEST', message), logged }
}

/** Sends an answer as JSON. */
export const send = (context: Context, { status, text }: Answer): void => {
  context.status = status
  context.type = 'application/json'
  context.body = text
}

/** Resolves when the client has left or the server has cut it. */
export const closed = (context: Context): Promise<void> =>
  new Promise((resolve) => {
    if (context.req.socket.destroyed) resolve()
    else context.res.once('close', resolve)
  })

/** Cuts the connection without an answer. */
export const cut = (context: Context): void => {
  context.respond = false
  context.req.socket.destroy()
}
