import { jsxDEV as reactJsxDev } from 'react/jsx-dev-runtime'
import { safeProps } from './safe-props'

export { Fragment } from 'react/jsx-dev-runtime'

export const jsxDEV: typeof reactJsxDev = (type, props, ...rest) =>
  reactJsxDev(type, safeProps(type, props), ...rest)
