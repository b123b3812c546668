import { expect, test } from 'vitest'
import { isSecretName, redactText, redactUrls } from '@/lib/core/redact'
import { redactJson, redactJsonStart, redactJsonText } from '@/lib/core/redact-json'

test('secrets are known by their name or by their form', () => {
  for (const name of ['Authorization', 'set-cookie', 'X-Api-Key', 'client_secret', 'card.number', 'cvc'])
    expect(isSecretName(name), name).toBe(true)
  for (const name of ['amount', 'currency', 'content-type', 'order_id', 'status'])
    expect(isSecretName(name), name).toBe(false)
  expect(redactText('key sk_live_51HabcDEF123 used')).toBe('key [redacted] used')
  expect(redactText('Authorization: Bearer abc.def-123456')).toBe('Authorization: [redacted]')
})

test('a card number is one by its check digit, however it is grouped', () => {
  expect(redactText('paid with 4242 4242 4242 4242.')).toBe('paid with [redacted].')
  expect(redactText('paid with 4242-4242-4242-4242')).toBe('paid with [redacted]')
  expect(redactText('order 4242424242424241')).toBe('order 4242424242424241')
  expect(redactText('at 1763820000000')).toBe('at 1763820000000')
})

test.each([
  ['a query', 'api_key=hush&page=2', 'api_key=[redacted]&page=2'],
  ['a query of one parameter', 'code=hush', 'code=[redacted]'],
  [
    'a URL in a sentence',
    'GET https://a.test/?page=2&token=hush failed',
    'GET https://a.test/?page=2&token=[redacted] failed',
  ],
  ['a URL in JSON', '{"url":"/a?token=hush","page":2}', '{"url":"/a?token=[redacted]","page":2}'],
  [
    'a fragment',
    'https://a.test/#access_token=hush&state=1',
    'https://a.test/#access_token=[redacted]&state=1',
  ],
  ['a path parameter', '/a;jsessionid=hush?page=2', '/a;jsessionid=[redacted]'],
  ['camel case', '/a?clientSecret=hush', '/a?clientSecret=[redacted]'],
  ['brackets', '/a?user[password]=hush', '/a?user[password]=[redacted]'],
  ['an escaped name', '/a?%61pi%5Fkey=hush', '/a?%61pi%5Fkey=[redacted]'],
  ['a URL within', '/a?next=https://b.test/?token=hush', '/a?next=https://b.test/?token=[redacted]'],
  [
    'an escaped URL within',
    '/a?next=%2Fb%3Ftoken%3Dhush%26page%3D2',
    '/a?next=%2Fb%3Ftoken%3D[redacted]%26page%3D2',
  ],
  ['a value with marks', '/a?password=a?b=c/d%26e&page=2', '/a?password=[redacted]&page=2'],
  ['a user of a URL', 'postgres://app:h@sh@db.test/main', 'postgres://[redacted]@db.test/main'],
])('credentials in a URL or its query are redacted: %s', (_what, text, clean) => {
  expect(redactUrls(text)).toBe(clean)
  expect(redactUrls(clean)).toBe(clean)
})

test.each([
  'https://a.test/charges?page=2&sort=key&session_id=cs_1',
  'exit code=200 of the job',
  'to ops@a.test',
  'https://a.test/@someone?mail=a@b.test',
  'SELECT 1 WHERE a=$1',
  'dG9rZW4=',
  '/a?token=',
  '%=%&%=1',
])('%s holds no credentials', (text) => {
  expect(redactUrls(text)).toBe(text)
})

test('a text made of separators takes little time', () => {
  const before = process.cpuUsage()
  for (const piece of ['?a=', '?token=', '%26', '&', 'a=', '://a', '@://', '?%']) {
    redactUrls(`${piece.repeat(16_384 / piece.length)}=@ `)
    redactUrls(`${piece.repeat(16_384 / piece.length)}=@`)
  }
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(500)
})

test('JSON is redacted inside: whole objects under a secret name, single values elsewhere', () => {
  const shown = redactJsonText(
    '{"id":"pay_1","card":{"number":"4242424242424242","exp":"12/30"},"note":"Bearer abcdefghij","list":[1,{"password":"x"}],"empty":{},"none":[]}',
  )
  expect(JSON.parse(shown)).toEqual({
    id: 'pay_1',
    card: '[redacted]',
    note: '[redacted]',
    list: [1, { password: '[redacted]' }],
    empty: {},
    none: [],
  })
  expect(shown).toContain('\n  "id": "pay_1",')
})

test('integers beyond 2^53 are shown as they stand', () => {
  expect(redactJsonText('{"amount":9007199254740993}')).toContain('9007199254740993')
  expect(redactJsonText('{"rate":1.10e-5}')).toContain('1.10e-5')
})

test('a text that is no JSON is redacted as text', () => {
  expect(redactJsonText('oops sk_test_abcdefgh12')).toBe('oops [redacted]')
})

test('a value of JSON: numbers that are cards go, others stay', () => {
  expect(redactJson({ a: [4242424242424242, 12], b: null, token: 'x', c: { secret: null } })).toEqual({
    a: ['[redacted]', 12],
    b: null,
    token: '[redacted]',
    c: { secret: null },
  })
})

test('of 5 MB only the beginning is walked through, in little time; secrets in it are gone all the same', () => {
  const payments = Array.from({ length: 60_000 }, (_, n) => ({
    id: `pay_${n}`,
    password: `hidden-${n}`,
    note: 'x'.repeat(40),
  }))
  const text = JSON.stringify(payments)
  expect(text.length).toBeGreaterThan(5_000_000)
  const before = process.cpuUsage()
  const shown = redactJsonStart(text, 65_536)
  // Walked through whole it takes seconds. Of the processor, since the machine is shared.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1_500)
  expect(shown.cut).toBe(true)
  expect(shown.text).toContain('"id": "pay_0"')
  expect(shown.text).not.toContain('hidden-')
  expect(redactJsonStart(`${'a'.repeat(90)} sk_live_51HabcDEF123`, 95).text).not.toContain('sk_')
})
