import { jsx as reactJsx, jsxs as reactJsxs } from 'react/jsx-runtime'
import { safeProps } from './safe-props'

// tsconfig names this module as the source of JSX: every text of every page goes through it, and no page can forget to.
export type { JSX } from 'react/jsx-runtime'
export { Fragment } from 'react/jsx-runtime'

export const jsx: typeof reactJsx = (type, props, key) => reactJsx(type, safeProps(type, props), key)
export const jsxs: typeof reactJsxs = (type, props, key) => reactJsxs(type, safeProps(type, props), key)
