import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { addressSetOf, clientAddressOf } from '../src/http/address.ts'

const from = (peer: string, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress: peer },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage

describe('ranges', () => {
  test.each([
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.1.2.3', ['10.0.0.0/8'], false],
    ['::ffff:10.1.2.3', ['10.0.0.0/8'], true],
    ['2001:db8::1', ['10.0.0.0/8', '2001:db8::/32'], true],
    ['127.0.0.1', ['127.0.0.1'], true],
    ['no address', ['0.0.0.0/0'], false],
  ] as const)('%s in %j is %s', (address, cidrs, expected) => {
    expect(addressSetOf(cidrs)(address)).toBe(expected)
  })

  test('a text that is no range is refused when it is read', () => {
    expect(() => addressSetOf(['10.0.0.0/99'])).toThrow()
  })
})

describe("the client's address", () => {
  const addressOf = clientAddressOf(addressSetOf(['10.0.0.0/8']))

  test("is the peer's; nobody else is believed", () => {
    expect(addressOf(from('::ffff:203.0.113.7'))).toBe('203.0.113.7')
    expect(addressOf(from('203.0.113.7', '198.51.100.1'))).toBe('203.0.113.7')
  })

  test('is the last hop in front of the trusted proxies, whatever the client wrote before', () => {
    expect(addressOf(from('10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.9'))).toBe('198.51.100.1')
    expect(addressOf(from('10.0.0.1', 'spoofed'))).toBe('10.0.0.1')
    expect(addressOf(from('10.0.0.1'))).toBe('10.0.0.1')
  })
})
