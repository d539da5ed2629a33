import { describe, expect, test } from '@jest/globals'
import { ok, type Result } from '../../src/errors/codes.ts'
import { refusingPortFailures } from '../../src/platform/refusing.ts'
import { PortError } from '../../src/ports/failure.ts'

const clientThat = (answer: () => Promise<Result<number>>): { double: (value: number) => Promise<Result<number>> } =>
  refusingPortFailures({ double: answer })

describe('a client whose ports may fail', () => {
  test('gives its answers as they are, and its arguments to the call', async () => {
    const client = refusingPortFailures({ double: (value: number) => Promise.resolve(ok(value * 2)) })
    expect(await client.double(21)).toEqual(ok(42))
  })
  test('refuses UNAVAILABLE when a port fails: the caller may repeat', async () => {
    const client = clientThat(() => Promise.reject(new PortError('timeout', 'the views did not answer')))
    expect(await client.double(1)).toMatchObject({ ok: false, refusal: { code: 'UNAVAILABLE' } })
  })
  test('throws what is a bug', async () => {
    const client = clientThat(() => Promise.reject(new TypeError('a bug')))
    await expect(client.double(1)).rejects.toThrow('a bug')
  })
})
