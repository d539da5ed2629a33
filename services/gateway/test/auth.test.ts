import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SignJWT } from 'jose'
import { createPasswords } from '../src/auth/password.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'
import { testRandom } from './support/ports.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway({ limits: { signInPerEmail: { perSecond: 0.001, burst: 6 } } })
})
afterAll(() => platform.gateway.stop())

const me = (cookie: string) => platform.call('GET', '/api/v1/auth/me', { cookie })
const signIn = (email: string, password: string) =>
  platform.call('POST', '/api/v1/auth/signin', { body: { email, password } })

describe('signing up and in', () => {
  test('the cookie is HTTP-only and SameSite, and says who I am', async () => {
    const up = await platform.call('POST', '/api/v1/auth/signup', {
      body: { email: '  Mixed.Case@Example.COM ', password: 'pässwörter' },
    })
    expect([up.status, up.json.data?.email]).toEqual([201, 'mixed.case@example.com'])
    expect(up.headers.get('set-cookie')).toMatch(/^authToken=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/)
    expect((await me(platform.cookieOf(up))).json.data?.email).toBe('mixed.case@example.com')
    const back = await signIn('MIXED.CASE@example.com', 'pässwörter'.normalize('NFD'))
    expect(back.status).toBe(200)
  })

  test('an e-mail is taken once, also in a race', async () => {
    const body = { email: 'race@example.com', password: 'correct horse' }
    const answers = await Promise.all([1, 2, 3].map(() => platform.call('POST', '/api/v1/auth/signup', { body })))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
  })

  test.each([
    ['no address', { email: 'nobody', password: 'correct horse' }, 'email'],
    ['a line break', { email: 'a@b.cd\nx', password: 'correct horse' }, 'email'],
    ['a short password', { email: 'x@example.com', password: '1234567' }, 'at least 8'],
    ['a long password', { email: 'x@example.com', password: 'x'.repeat(129) }, 'at most 128'],
    ['a number as password', { email: 'x@example.com', password: 12345678 }, 'password'],
    ['a missing password', { email: 'x@example.com' }, 'password is missing'],
  ])('%s is refused', async (_name, body, words) => {
    const refused = await platform.call('POST', '/api/v1/auth/signup', { body })
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
    expect(refused.json.message).toContain(words)
  })

  test('an unknown e-mail and a wrong password get the same words', async () => {
    const { email } = await platform.signUp()
    const wrong = await signIn(email, 'wrong password')
    const unknown = await signIn('nobody@example.com', 'wrong password')
    expect([wrong.status, wrong.text]).toEqual([401, unknown.text])
    expect(unknown.status).toBe(401)
  })

  test("guessing one e-mail's password is slowed down", async () => {
    const { email } = await platform.signUp()
    const statuses: number[] = []
    for (let guess = 0; guess < 7; guess += 1) statuses.push((await signIn(email, `guess number ${guess}`)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429])
    expect((await signIn(email, 'correct horse')).status).toBe(429)
  })

  test('hashes take turns and the queue is bounded', async () => {
    const passwords = createPasswords({
      random: testRandom,
      cost: { logN: 12, r: 8, p: 1 },
      runningMax: 1,
      waitingMax: 1,
    })
    const results = await Promise.allSettled([passwords.hash('a'), passwords.hash('b'), passwords.hash('c')])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    const hash = await passwords.hash('correct')
    expect(await passwords.matches('correct', hash)).toBe(true)
    expect(await passwords.matches('wrong', hash)).toBe(false)
    expect(await passwords.matches('correct', null)).toBe(false)
  })
})

describe('sessions', () => {
  test('logging out ends this session only; all=true ends every one', async () => {
    const { cookie: first, email } = await platform.signUp()
    const second = platform.cookieOf(await signIn(email, 'correct horse'))
    const out = await platform.call('POST', '/api/v1/auth/logout', { cookie: first })
    expect(out.headers.get('set-cookie')).toMatch(/^authToken=; .*Max-Age=0$/)
    expect([(await me(first)).status, (await me(second)).status]).toEqual([401, 200])
    const third = platform.cookieOf(await signIn(email, 'correct horse'))
    await platform.call('POST', '/api/v1/auth/logout?all=true', { cookie: third })
    expect([(await me(second)).status, (await me(third)).status]).toEqual([401, 401])
    expect((await me(platform.cookieOf(await signIn(email, 'correct horse')))).status).toBe(200)
  })

  test('a forged, unsigned, foreign or expired token is no session', async () => {
    const { cookie, userId } = await platform.signUp()
    const [header = '', payload = '', signature = ''] = cookie.slice('authToken='.length).split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const foreign = await new SignJWT({ issuedAtMs: Date.now() })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('bourse')
      .setAudience('bourse-gateway')
      .setSubject(userId)
      .setJti('x')
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('x'.repeat(32)))
    for (const token of [`${none}.${payload}.`, `${header}.${payload}.${signature.slice(1)}`, foreign, 'garbage', '']) {
      expect((await me(`authToken=${token}`)).status).toBe(401)
    }
    const expiring = await startTestGateway({ limits: { sessionTtlMs: 60_000 } })
    const user = await expiring.signUp()
    const before = await expiring.call('GET', '/api/v1/auth/me', { cookie: user.cookie })
    expiring.clock.advance(61_000)
    const after = await expiring.call('GET', '/api/v1/auth/me', { cookie: user.cookie })
    await expiring.gateway.stop()
    expect([before.status, after.status]).toEqual([200, 401])
  })

  test('a locked user has no session and cannot get one', async () => {
    const { cookie, email, userId } = await platform.signUp()
    await platform.directory.setUserLocked(userId, true)
    expect((await me(cookie)).status).toBe(401)
    expect((await signIn(email, 'wrong password')).status).toBe(401)
    expect((await signIn(email, 'correct horse')).json.errorCode).toBe('FORBIDDEN')
  })

  test("another site's requests are refused, the own origin's are not", async () => {
    const { cookie } = await platform.signUp()
    const from = (origin: string) =>
      platform.call('POST', '/api/v1/engine', { cookie, body: { command: 'GET_BALANCE' }, headers: { origin } })
    expect([
      (await from('https://evil.example')).status,
      (await from('null')).status,
      (await from(platform.gateway.url)).status,
    ]).toEqual([403, 403, 404])
  })
})
