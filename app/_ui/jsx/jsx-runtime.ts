import type { Component, ExoticComponent, ReactElement } from 'react'
import { type JSX as ReactJsx, jsx as reactJsx, jsxs as reactJsxs } from 'react/jsx-runtime'
import { safeProps } from './safe-props'

// tsconfig names this module as the source of JSX: every text of every page goes through it, and no page can forget to.
export { Fragment } from 'react/jsx-runtime'

export const jsx: typeof reactJsx = (type, props, key) => reactJsx(type, safeProps(type, props), key)
export const jsxs: typeof reactJsxs = (type, props, key) => reactJsxs(type, safeProps(type, props), key)

type Elements = ReactElement | boolean | null | undefined | readonly Elements[]

export namespace JSX {
  /** A component returns elements: a text that it returned bare would come by none of the functions above. */
  // biome-ignore-start lint/suspicious/noExplicitAny: whatever properties it takes.
  export type ElementType =
    | keyof ReactJsx.IntrinsicElements
    | ExoticComponent<any>
    | ((props: any) => Elements | Promise<Elements>)
    | (new (
        props: any,
      ) => Component<any, any>)
  // biome-ignore-end lint/suspicious/noExplicitAny: whatever properties it takes.
  export type Element = ReactJsx.Element
  export type ElementClass = ReactJsx.ElementClass
  export type ElementAttributesProperty = ReactJsx.ElementAttributesProperty
  export type ElementChildrenAttribute = ReactJsx.ElementChildrenAttribute
  export type LibraryManagedAttributes<C, P> = ReactJsx.LibraryManagedAttributes<C, P>
  export type IntrinsicAttributes = ReactJsx.IntrinsicAttributes
  export type IntrinsicClassAttributes<T> = ReactJsx.IntrinsicClassAttributes<T>
  export type IntrinsicElements = ReactJsx.IntrinsicElements
}
