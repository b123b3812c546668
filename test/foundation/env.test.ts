import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseEnv, SETTING_NAMES } from '@/lib/env'

test('a bad configuration names every fault at once', () => {
  expect(() =>
    parseEnv({
      PORT: '99999',
      DATABASE_URL: 'mysql://x',
      IDEMSCOPE_KEY_SECRET: 'short',
      IDEMSCOPE_TYPO: '1',
    }),
  ).toThrow(/4 fault\(s\)[\s\S]*IDEMSCOPE_TYPO[\s\S]*DATABASE_URL[\s\S]*PORT[\s\S]*IDEMSCOPE_KEY_SECRET/)
})

test.each([
  ['0.0.0.0', undefined, false],
  ['::', undefined, false],
  ['10.0.0.5', undefined, false],
  ['receiver.internal', undefined, false],
  ['0.0.0.0', 'a token of some length', true],
  ['127.0.0.1', undefined, true],
  ['127.8.8.8', undefined, true],
  ['localhost', undefined, true],
  ['::1', undefined, true],
])('a receiver on %s with the token %s may start: %s', (host, token, may) => {
  const start = () => parseEnv({ IDEMSCOPE_OTLP_HOST: host, IDEMSCOPE_OTLP_TOKEN: token })
  if (may) expect(start).not.toThrow()
  else expect(start).toThrow(/IDEMSCOPE_OTLP_HOST.*set IDEMSCOPE_OTLP_TOKEN/)
})

test('an empty value counts as unset', () => {
  expect(parseEnv({ PORT: '', DATABASE_URL: '' })).toMatchObject({ PORT: 3000, OTLP_PORT: 4318 })
})

test('.env.example lists every setting', () => {
  const listed = [...readFileSync('.env.example', 'utf8').matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map(
    (match) => match[1],
  )
  expect(listed.toSorted()).toEqual(SETTING_NAMES.toSorted())
})
