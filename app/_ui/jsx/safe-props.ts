import { jsxs } from 'react/jsx-runtime'
import { codePointName, splitHidden, type TextPart, visibleText } from '@/lib/core/visible-text'

/** They hold text alone. */
const TEXT_ONLY = new Set<unknown>(['option', 'title', 'desc', 'text', 'tspan'])
/** Their text is not read by people, or is theirs to edit. */
const NOT_SHOWN = new Set<unknown>(['script', 'style', 'textarea'])
const SPOKEN = ['title', 'aria-label', 'alt'] as const

/**
 * Properties of an element of the page, with its texts made visible and set apart; the same object where none needs it.
 * What a library's component makes of its texts does not come by here: it is given properties that are safe already.
 */
export function safeProps<Props>(type: unknown, props: Props): Props {
  if ((typeof type !== 'string' && !passesOn(type)) || NOT_SHOWN.has(type)) return props
  const given = props as Record<string, unknown>
  let safe = given
  const set = (name: string, before: unknown, after: unknown) => {
    if (after !== before) safe = { ...safe, [name]: after }
  }
  for (const name of SPOKEN) {
    const value = given[name]
    if (typeof value === 'string') set(name, value, visibleText(value))
  }
  const { children } = given
  if (needsCare(children)) set('children', children, safeChild(type, children))
  return safe as Props
}

/** Fragments, what waits for its children, contexts: their children stand in the page as they are. */
const passesOn = (type: unknown): boolean =>
  typeof type === 'symbol' ||
  (typeof type === 'object' && type !== null && Reflect.get(type, '$$typeof') === CONTEXT)
const CONTEXT = Symbol.for('react.context')

const needsCare = (child: unknown): boolean =>
  typeof child === 'string' ? splitHidden(child) !== null : Array.isArray(child) && child.some(needsCare)

function safeChild(type: unknown, child: unknown, place = 0): unknown {
  if (Array.isArray(child)) return child.map((each, at) => safeChild(type, each, at))
  return typeof child === 'string' ? safeText(type, child, place) : child
}

function safeText(type: unknown, text: string, place: number): unknown {
  const parts = splitHidden(text)
  if (parts === null) return text
  if (TEXT_ONLY.has(type)) return visibleText(text)
  return jsxs('bdi', { children: parts.map(partElement) }, `text-${place}`)
}

/** The character itself stays in the page, without width, so that what is copied is the raw value. */
const partElement = ({ text, hidden }: TextPart, place: number) =>
  hidden
    ? jsxs(
        'span',
        { className: 'hidden-character', 'data-name': codePointName(text), children: [text] },
        place,
      )
    : text
