import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalizeJson } from '@/sdk/canonical-json'
import { formatIdempotencyKey, parseIdempotencyKey } from '@/sdk/idempotency-key'
import { deriveProviderKey, hashKey } from '@/sdk/key-hash'
import { scopeName } from '@/sdk/options'

describe('canonical JSON', () => {
  it.each([
    ['{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }'],
    ['[1.0,1e2,-0]', '[1,100,0]'],
    ['"\\u0041\\/"', '"A/"'],
    ['{"a":{"z":[{"y":1,"x":2}]}}', '{"a":{"z":[{"x":2,"y":1}]}}'],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ])('%s = %s', (one, other) => {
    expect(canonicalizeJson(one)).toBe(canonicalizeJson(other))
    expect(canonicalizeJson(one)).not.toBeNull()
  })

  it.each([
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":null}', '{}'],
    ['9007199254740993', '9007199254740992'],
    ['0.1234567890123456789', '0.1234567890123456788'],
    ['{"a":12345678901234567890}', '{"a":"12345678901234567890"}'],
    ['"12345678901234567890"', '"12345678901234567891"'],
  ])('%s ≠ %s', (one, other) => {
    expect(canonicalizeJson(one)).not.toBe(canonicalizeJson(other))
  })

  it.each(['', '{', '{"a":}', 'undefined', `${'['.repeat(5000)}${']'.repeat(5000)}`])(
    'no canonical form: %.20s',
    (text) => {
      expect(canonicalizeJson(text)).toBeNull()
    },
  )
})

it('formats keys that it parses again', () => {
  for (const key of [
    'a',
    'with space',
    'quote " and \\',
    '8e03978e-40d5-43dd-bc93-6894a57f9324',
    'k'.repeat(255),
  ]) {
    expect(parseIdempotencyKey(formatIdempotencyKey(key))).toEqual({ kind: 'key', key })
  }
  expect(() => formatIdempotencyKey('')).toThrow(RangeError)
  expect(() => formatIdempotencyKey('k'.repeat(256))).toThrow(RangeError)
})

it('hashes keys as the console does, and derives the provider’s key from scope, key and step alone', () => {
  expect(hashKey('secret', 'key')).toBe(
    createHmac('sha256', 'secret').update('key').digest('hex').slice(0, 32),
  )
  const derived = deriveProviderKey('web/POST /p', 'k', 'charge')
  expect(derived).toBe(
    createHash('sha256').update('["idemscope",1,"web/POST /p","k","charge"]').digest('hex'),
  )
  expect(derived).not.toBe(deriveProviderKey('web/POST /p', 'kc', 'harge'))
})

it('names a scope that can be read one way only', () => {
  expect(scopeName('POST', { caller: 'web', route: '/v1/payments/{id}' })).toBe('web/POST /v1/payments/{id}')
  for (const parts of [
    { caller: 'a/b', route: '/x' },
    { caller: '', route: '/x' },
    { caller: 'a b', route: '/x' },
    { caller: 'a', route: 'x' },
    { caller: 'a', route: '/x y' },
  ]) {
    expect(() => scopeName('POST', parts)).toThrow(TypeError)
  }
})
