import type { ComponentType, ReactElement } from 'react'

/** A component of a library, whose types let it return a text: it is known to return elements. */
export const ofElements = <Props>(component: ComponentType<Props>): ((props: Props) => ReactElement) =>
  component as (props: Props) => ReactElement
