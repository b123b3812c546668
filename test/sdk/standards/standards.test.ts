import { describe, expect, it } from 'vitest'
import { canonicalizeJson } from '@/sdk/fingerprint/canonical-json'
import { formatIdempotencyKey, parseIdempotencyKey } from '@/sdk/idempotency-key'
import canonicalization from './json-canonicalization.json'
import strings from './structured-strings.json'

describe('RFC 8785: the test data of its authors', () => {
  it.each(Object.entries(canonicalization))('%s', (_, { input, outHex }) => {
    expect(Buffer.from(canonicalizeJson(input) ?? '').toString('hex')).toBe(outHex)
  })

  // Appendix B: what cannot be written as JSON at all.
  it.each(['NaN', 'Infinity', '-Infinity'])('%s has no canonical form', (text) => {
    expect(canonicalizeJson(text)).toBeNull()
  })
})

describe('RFC 9651 strings: the HTTP working group’s tests', () => {
  // A bare token is taken too, since many clients leave the quotes out; an empty key names nothing; ours is bounded.
  const OURS = new Set(['single quoted string', 'empty string', 'long string'])

  it.each(strings.filter(({ name }) => !OURS.has(name)))('$name', ({ raw, expected, canFail }) => {
    const parsed = parseIdempotencyKey(raw)
    if (expected === null) expect(parsed.kind).toBe('malformed')
    else if (canFail === undefined || parsed.kind === 'key')
      expect(parsed).toEqual({ kind: 'key', key: expected })
  })

  it('writes each string as it reads it', () => {
    for (const { expected } of strings) {
      if (expected === null || expected === '' || expected.length > 255) continue
      expect(parseIdempotencyKey(formatIdempotencyKey(expected))).toEqual({ kind: 'key', key: expected })
    }
  })

  it.each([
    '"k";a',
    '"k";a=1;b=-2.5',
    '"k"; q="9; x=\\"1"; r=*t/o:k',
    '"k";d=@1659578233;n=%"f%c3%bc";y=?0;z=:aGk=:',
    '  "k"  ',
  ])('ignores parameters: %s', (raw) => {
    expect(parseIdempotencyKey(raw)).toEqual({ kind: 'key', key: 'k' })
  })

  it.each([
    '"a", "b"',
    '"a" "b"',
    '"k";',
    '"k";A=1',
    '"k";a=',
    '"k";a="',
    '"k"x',
    '("k")',
    '"k";a=é',
    '%"k"',
  ])('refuses what is no single string: %s', (raw) => {
    expect(parseIdempotencyKey(raw).kind).toBe('malformed')
  })

  it('takes the examples of the draft', () => {
    expect(parseIdempotencyKey('"8e03978e-40d5-43dd-bc93-6894a57f9324"')).toEqual({
      kind: 'key',
      key: '8e03978e-40d5-43dd-bc93-6894a57f9324',
    })
    expect(parseIdempotencyKey('8e03978e-40d5-43dd-bc93-6894a57f9324').kind).toBe('key')
  })
})
