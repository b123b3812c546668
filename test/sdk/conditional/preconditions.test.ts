import { describe, expect, it, test } from 'vitest'
import {
  formatEtag,
  matchesStrongly,
  matchesWeakly,
  parseTags,
  type Tag,
  type Version,
} from '@/sdk/conditional/etag'
import { parseHttpDate } from '@/sdk/conditional/http-date'
import { evaluatePreconditions } from '@/sdk/conditional/preconditions'

const NOW_MS = Date.UTC(2026, 10, 30)

// RFC 9110, 8.8.3.2, table 3.
test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', '"1"', true, true],
])('%s and %s: strongly %s, weakly %s', (one, other, strongly, weakly) => {
  const [[a], [b]] = [parseTags(one), parseTags(other)] as [[Tag], [Tag]]
  expect([matchesStrongly(a, b), matchesWeakly(a, b)]).toEqual([strongly, weakly])
})

// RFC 9110, 8.8.3, 13.1.1 and 13.1.2.
test.each([
  ['"xyzzy"', ['xyzzy']],
  ['W/"xyzzy"', ['W/xyzzy']],
  ['""', ['']],
  ['"xyzzy", "r2d2xxxx", "c3piozzzz"', ['xyzzy', 'r2d2xxxx', 'c3piozzzz']],
  ['W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', ['W/xyzzy', 'W/r2d2xxxx', 'W/c3piozzzz']],
  [' , "a,b" ,\t"c",', ['a,b', 'c']],
  ['*', '*'],
  ['', null],
  ['xyzzy', null],
  ['"open', null],
  ['"a" "b"', null],
  ['w/"a"', null],
  ['*, "a"', null],
])('reads the tags of %s', (header, tags) => {
  const parsed = parseTags(header)
  expect(
    Array.isArray(parsed) ? parsed.map(({ opaque, weak }) => (weak ? `W/${opaque}` : opaque)) : parsed,
  ).toEqual(tags)
})

// RFC 9110, 5.6.7.
test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Friday, 06-Nov-76 08:49:37 GMT', Date.UTC(2076, 10, 6, 8, 49, 37)],
  ['Saturday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37)],
  ['Sun, 06 Nov 1994 08:49:37 CET', null],
  ['Sun, 06 Foo 1994 08:49:37 GMT', null],
  ['1994-11-06T08:49:37Z', null],
])('reads the date %s', (header, ms) => {
  expect(parseHttpDate(header, NOW_MS)).toBe(ms)
})

test('a version becomes a tag that is one', () => {
  expect([formatEtag(7), formatEtag(7n), formatEtag('v7')]).toEqual(['"7"', '"7"', '"v7"'])
  expect(formatEtag({ tag: 'v7', weak: true })).toBe('W/"v7"')
  expect(formatEtag('a "b" é%')).toBe('"a%20%22b%22%20%c3a9%25"')
  expect(formatEtag({ content: 'x' })).toMatch(/^"[\w-]{43}"$/)
  expect(formatEtag({ content: 'x' })).not.toBe(formatEtag({ content: 'y' }))
})

const BEFORE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const dated = (over: Partial<{ tag: string; weak: boolean }> = {}): Version => ({
  tag: 'v1',
  modifiedAt: new Date(Date.UTC(1994, 10, 6, 8, 49, 37, 900)),
  ...over,
})
const LATER: Version = { tag: 'v1', modifiedAt: new Date(Date.UTC(1994, 10, 6, 8, 49, 38)) }

// RFC 9110, 13.2.2: methods, headers, what there is, and what follows.
describe('precedence', () => {
  it.each<[string, Record<string, string>, Version, string]>([
    // 1. If-Match.
    ['PUT', { 'if-match': '"v1"' }, 'v1', 'passed'],
    ['PUT', { 'if-match': '"v0", "v1"' }, 'v1', 'passed'],
    ['PUT', { 'if-match': '"v0"' }, 'v1', 'failed'],
    ['PUT', { 'if-match': 'W/"v1"' }, 'v1', 'failed'],
    ['PUT', { 'if-match': '"v1"' }, dated({ weak: true }), 'failed'],
    ['PUT', { 'if-match': '*' }, 'v1', 'passed'],
    ['PUT', { 'if-match': '*' }, null, 'failed'],
    ['DELETE', { 'if-match': '"v1"' }, null, 'failed'],
    ['GET', { 'if-match': '"v0"' }, 'v1', 'failed'],
    ['PUT', { 'if-match': 'v1' }, 'v1', 'malformed'],
    // If-Match takes precedence over 2. If-Unmodified-Since.
    ['PUT', { 'if-match': '"v1"', 'if-unmodified-since': BEFORE }, LATER, 'passed'],
    ['PUT', { 'if-match': '"v0"', 'if-unmodified-since': BEFORE }, dated(), 'failed'],
    ['PUT', { 'if-unmodified-since': BEFORE }, dated(), 'passed'],
    ['PUT', { 'if-unmodified-since': BEFORE }, LATER, 'failed'],
    ['PUT', { 'if-unmodified-since': BEFORE }, null, 'failed'],
    ['PUT', { 'if-unmodified-since': 'soon' }, LATER, 'none'],
    ['PUT', { 'if-unmodified-since': BEFORE }, 'v1', 'none'],
    // 3. If-None-Match.
    ['PUT', { 'if-none-match': '*' }, null, 'passed'],
    ['PUT', { 'if-none-match': '*' }, 'v1', 'failed'],
    ['PUT', { 'if-none-match': '"v1"' }, 'v1', 'failed'],
    ['PUT', { 'if-none-match': '"v0"' }, 'v1', 'passed'],
    ['PUT', { 'if-none-match': 'v1' }, 'v1', 'malformed'],
    ['GET', { 'if-none-match': 'W/"v1"' }, 'v1', 'not_modified'],
    ['HEAD', { 'if-none-match': '"v1"' }, dated({ weak: true }), 'not_modified'],
    ['GET', { 'if-none-match': '*' }, 'v1', 'not_modified'],
    ['GET', { 'if-none-match': '"v0"' }, 'v1', 'passed'],
    ['GET', { 'if-none-match': 'v1' }, 'v1', 'none'],
    // After an If-Match that holds, too.
    ['GET', { 'if-match': '"v1"', 'if-none-match': '"v1"' }, 'v1', 'not_modified'],
    ['PUT', { 'if-match': '"v1"', 'if-none-match': '"v1"' }, 'v1', 'failed'],
    // 4. If-Modified-Since, only for reads, and only without If-None-Match.
    ['GET', { 'if-modified-since': BEFORE }, dated(), 'not_modified'],
    ['GET', { 'if-modified-since': BEFORE }, LATER, 'passed'],
    ['GET', { 'if-modified-since': BEFORE, 'if-none-match': '"v0"' }, dated(), 'passed'],
    ['GET', { 'if-modified-since': 'soon' }, dated(), 'none'],
    ['GET', { 'if-modified-since': BEFORE }, 'v1', 'none'],
    ['PUT', { 'if-modified-since': BEFORE }, LATER, 'none'],
    ['PUT', {}, 'v1', 'none'],
  ])('%s %o at %o: %s', (method, headers, version, kind) => {
    const request = { method, headers: new Headers(headers) }
    expect(evaluatePreconditions(request, version, NOW_MS).kind).toBe(kind)
  })
})
