import { moment, object, parameters, success, uuid } from '../http/schemas.ts'
import { routeSpec, type Schema } from '../http/route.ts'

const credentials: Schema = {
  ...object({
    email: { type: 'string', minLength: 3, maxLength: 254, description: 'Compared without regard to case.' },
    password: { type: 'string', minLength: 1, maxLength: 1024, description: '8 to 128 bytes.' },
  }),
  title: 'Credentials',
}

const user: Schema = { ...object({ userId: uuid, email: { type: 'string' }, createdAt: moment }), title: 'User' }

const cookieNote = 'The session is the HTTP-only cookie `authToken`.'

/** Who can sign up, in and out. */
export const authSpecs = {
  signUp: routeSpec<'none'>({
    operationId: 'signUp',
    method: 'POST',
    path: '/api/v1/auth/signup',
    tag: 'Sessions',
    security: 'none',
    summary: 'Creates the user and signs in',
    description: cookieNote,
    body: credentials,
    answers: { 201: { description: 'Created and signed in', schema: success(user) } },
    refusals: ['EMAIL_TAKEN', 'FORBIDDEN', 'UNAVAILABLE'],
  }),
  signIn: routeSpec<'none'>({
    operationId: 'signIn',
    method: 'POST',
    path: '/api/v1/auth/signin',
    tag: 'Sessions',
    security: 'none',
    summary: 'Signs in',
    description: cookieNote,
    body: credentials,
    answers: { 200: { description: 'Signed in', schema: success(user) } },
    refusals: ['UNAUTHENTICATED', 'FORBIDDEN', 'UNAVAILABLE'],
  }),
  me: routeSpec<'session'>({
    operationId: 'me',
    method: 'GET',
    path: '/api/v1/auth/me',
    tag: 'Sessions',
    security: 'session',
    summary: 'Who am I',
    answers: { 200: { description: 'The user', schema: success(user) } },
    refusals: [],
  }),
  signOut: routeSpec<'session'>({
    operationId: 'signOut',
    method: 'POST',
    path: '/api/v1/auth/logout',
    tag: 'Sessions',
    security: 'session',
    summary: "Ends this session, or all of the user's, at every gateway",
    query: parameters({ all: { type: 'boolean', default: false } }),
    answers: { 200: { description: 'Ended', schema: success(object({ ended: { enum: ['this', 'all'] } })) } },
    refusals: ['FORBIDDEN'],
  }),
} as const
