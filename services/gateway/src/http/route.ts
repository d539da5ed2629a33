import type { JsonDocument } from '@bourse/common/json/parse.ts'
import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { Session } from '../auth/sessions.ts'

/** A JSON Schema (2020-12). One with a `title` becomes a named component of the OpenAPI document. */
export type Schema = { readonly [key: string]: unknown }

/** An object schema whose properties are parameters. */
export interface ParameterSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false
}

/** Who may call a route and which envelope and limits it has. */
export type Security = 'none' | 'session' | 'bank' | 'admin'

/** An answer as documented. */
export interface AnswerSpec {
  readonly description: string
  readonly contentTypes?: readonly string[]
  readonly schema?: Schema
}

/** A route as data: validates requests, makes the OpenAPI document and, in tests, judges answers. */
export interface RouteSpec {
  readonly operationId: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** OpenAPI form: `/api/v1/quotes/{quoteId}`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly security: Security
  readonly params?: ParameterSchema
  readonly query?: ParameterSchema
  readonly headers?: ParameterSchema
  readonly body?: Schema
  readonly answers: Readonly<Record<number, AnswerSpec>>
  /** Refusals of its own, besides those every route has. */
  readonly refusals: readonly RefusalCode[]
}

/** A request that passed its schemas. */
export interface RouteRequest {
  readonly method: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** Numbers of the schema are numbers here; absent ones are absent. */
  readonly query: Readonly<Record<string, string | number | boolean>>
  /** Those the schema names, lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Null when the route takes none. */
  readonly body: JsonDocument | null
  readonly address: string
  /** When the edge began with it, by the monotonic clock. */
  readonly receivedAtMs: number
  /** The value of a header that is no part of the schema. */
  header(name: string): string
}

/** What a handler answers. A string body goes out as it is. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Who calls, as the route's security found out. */
export interface PrincipalOf {
  readonly none: null
  readonly session: Session
  readonly bank: Bank
  readonly admin: { readonly who: string }
}

/** A handler of routes of one kind of security. */
export type Handler<Kind extends Security> = (
  request: RouteRequest,
  principal: PrincipalOf[Kind],
) => Promise<Answer> | Answer

/** A route with its handler; made by `route`, which sees to it that the handler fits the security. */
export interface Route {
  readonly spec: RouteSpec
  readonly handle: (request: RouteRequest, principal: PrincipalOf[Security]) => Promise<Answer> | Answer
}

/** Joins a spec and its handler. */
export const route = <Kind extends Security>({
  spec,
  handle,
}: {
  readonly spec: RouteSpec & { readonly security: Kind }
  readonly handle: Handler<Kind>
}): Route => ({ spec, handle: (request, principal) => handle(request, principal as PrincipalOf[Kind]) })

/** Names a spec's security in its type. */
export const routeSpec = <Kind extends Security>(
  spec: RouteSpec & { readonly security: Kind },
): RouteSpec & { readonly security: Kind } => spec

/** An answer with status 200. */
export const answer = (body: unknown, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? { status: 200, body } : { status: 200, body, headers }
