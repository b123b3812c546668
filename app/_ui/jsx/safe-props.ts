import { Fragment, jsxs } from 'react/jsx-runtime'
import { codePointName, splitHidden, type TextPart, visibleText } from './visible-text'

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
  if ((typeof type !== 'string' && type !== Fragment) || NOT_SHOWN.has(type)) return props
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
  if (typeof children === 'string') set('children', children, safeText(type, children))
  else if (Array.isArray(children) && children.some(needsCare))
    set(
      'children',
      children,
      children.map((child) => (typeof child === 'string' ? safeText(type, child) : child)),
    )
  return safe as Props
}

const needsCare = (child: unknown): boolean => typeof child === 'string' && splitHidden(child) !== null

function safeText(type: unknown, text: string): unknown {
  const parts = splitHidden(text)
  if (parts === null) return text
  if (TEXT_ONLY.has(type)) return visibleText(text)
  return jsxs('bdi', { children: parts.map(partElement) }, text)
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
