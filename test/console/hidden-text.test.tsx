import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { splitHidden } from '@/app/_ui/jsx/visible-text'

test.each(['web/POST /v1/payments', 'Kröger & Söhne, 東京', 'first line\nsecond', 'e\u0301 is one letter'])(
  '%s stands as it is',
  (text) => {
    expect(splitHidden(text)).toBeNull()
    expect(renderToStaticMarkup(<p>{text}</p>)).not.toContain('bdi')
  },
)

test.each([
  ['a reference that turns the line round', 'ord_\u202E1234', 'U+202E'],
  ['an isolate that is not closed', 'ord_\u2066x', 'U+2066'],
  ['a zero width space', 'acme\u200Bpay', 'U+200B'],
  ['a soft hyphen', 'acme\u00ADpay', 'U+00AD'],
  ['a filler', 'acme\u3164', 'U+3164'],
  ['a control character', 'acme\u0007', 'U+0007'],
  ['a mark on nothing', '\u0301acme', 'U+0301'],
  ['marks upon marks', 'a\u0301\u0301\u0301\u0301', 'U+0301'],
])('%s is set apart, named, and copied as it is', (_what, text, name) => {
  const html = renderToStaticMarkup(<td title={text}>{text}</td>)
  expect(html).toContain(`data-name="${name}"`)
  expect(html).toContain(`[${name}]`)
  expect(html).toMatch(/^<td title="[^"]*"><bdi>.*<\/bdi><\/td>$/)
  // What is selected and copied is the text itself: tags hold no other.
  expect(html.replaceAll(/<[^>]+>/g, '')).toBe(text)
})

test('a text beside others does not change their place, whatever its script', () => {
  const owner = 'דנה'
  expect(
    renderToStaticMarkup(
      <span>
        owner {owner} · {12}
      </span>,
    ),
  ).toBe(`<span>owner <bdi>${owner}</bdi> · 12</span>`)
})

test('where only text can stand, the name stands in it', () => {
  expect(renderToStaticMarkup(<option value="a">{'a\u202Eb'}</option>)).toContain('>a[U+202E]b<')
  expect(
    renderToStaticMarkup(
      <svg>
        <title>{'a\u202Eb'}</title>
      </svg>,
    ),
  ).toContain('<title>a[U+202E]b</title>')
})

test('what a person edits is theirs', () => {
  expect(renderToStaticMarkup(<textarea defaultValue={'a\u202Eb'} />)).toContain('a\u202Eb')
})
