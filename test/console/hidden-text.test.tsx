import { createContext, type ReactElement, type ReactNode, Suspense } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { Dialog } from '@/app/_ui/dialog'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { RowLink } from '@/app/_ui/table'
import { splitHidden } from '@/lib/core/visible-text'

vi.mock('next/navigation', () => ({
  usePathname: () => '/locks',
  useSearchParams: () => new URLSearchParams('range=24h'),
}))
// Nothing of a portal is rendered on the server.
vi.mock('radix-ui', async (importOriginal) => {
  const radix = await importOriginal<typeof import('radix-ui')>()
  return {
    ...radix,
    Dialog: { ...radix.Dialog, Portal: ({ children }: { children: ReactNode }) => children },
  }
})

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

const TURNED = 'ord_\u202E1234'
const SET_APART = '<bdi>ord_<span class="hidden-character" data-name="U+202E">\u202E</span>1234</bdi>'

const Place = createContext('')

const PLACES = {
  'a link to a page': <PageLink href="/keys/1">{TURNED}</PageLink>,
  'a link with texts beside it': <PageLink href="/keys/1">key {TURNED}</PageLink>,
  'a link within a page': <QueryLink set={{ lock: null }}>{TURNED}</QueryLink>,
  'a row to a page': <RowLink to="/keys/1">{TURNED}</RowLink>,
  'a row within a page': <RowLink to={{ lock: '1' }}>{TURNED}</RowLink>,
  'a fragment': <>key {TURNED}</>,
  'a list of texts beside another': <p>keys {['one', TURNED]}</p>,
  'what is waited for': <Suspense>{TURNED}</Suspense>,
  'what stands in a context': <Place value="here">{TURNED}</Place>,
  'the title of a dialog': (
    <Dialog open title={TURNED} onClose={() => {}}>
      {null}
    </Dialog>
  ),
  'a dialog’s title of several texts': (
    <Dialog open title={<>Release {TURNED}</>} onClose={() => {}}>
      {null}
    </Dialog>
  ),
}

test.each(Object.entries(PLACES))('%s is set apart as any other text', (_what, element) => {
  const html = renderToStaticMarkup(element)
  expect(html).toContain(SET_APART)
  expect(html.split('\u202E')).toHaveLength(2)
})

const Bare = () => TURNED
const Passing = ({ children }: { children: ReactNode }) => children
const Framed = ({ children }: { children: ReactNode }) => <>{children}</>

test('a component returns no bare text, which would be set apart nowhere: the types refuse it', () => {
  // @ts-expect-error a text
  expect(renderToStaticMarkup(<Bare />)).toBe(TURNED)
  // @ts-expect-error whatever it was given, which may be a text
  expect(renderToStaticMarkup(<Passing>{TURNED}</Passing>)).toBe(TURNED)
  expect(renderToStaticMarkup(<Framed>{TURNED}</Framed>)).toBe(SET_APART)
})

test('the same text twice beside each other is two', () => {
  const { children } = (<p>{[TURNED, TURNED]}</p>).props
  expect(new Set(children.map(({ key }: ReactElement) => key)).size).toBe(2)
})

test('what is said of a link is made visible', () => {
  const html = renderToStaticMarkup(
    <RowLink to="/keys/1" title={TURNED}>
      {TURNED}
    </RowLink>,
  )
  expect(html).toContain('title="ord_[U+202E]1234"')
})

test('a plain link and a plain title stay as they are', () => {
  expect(renderToStaticMarkup(<PageLink href="/keys/1">ord_1234</PageLink>)).toBe(
    '<a class="" href="/keys/1?range=24h">ord_1234</a>',
  )
  expect(
    renderToStaticMarkup(
      <Dialog open title="Release" onClose={() => {}}>
        {null}
      </Dialog>,
    ),
  ).toMatch(/<h2 [^>]*class="font-semibold text-l"[^>]*>Release<\/h2>/)
})
