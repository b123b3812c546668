'use client'

import { type ComponentProps, useId } from 'react'
import { Button } from './button'

type Props = Omit<ComponentProps<typeof Button>, 'disabled'> & {
  /** Why this person may not; the button stays visible and says so. */
  forbidden: string | null
}

/** A button that not everybody may use: it keeps its place, and says why it does nothing. */
export function GuardedButton({ forbidden, look = 'plain', onClick, ...rest }: Props) {
  const noteId = useId()
  if (forbidden === null) return <Button {...{ look, onClick }} {...rest} />
  const faded = look === 'quiet' || look === 'link'
  return (
    <>
      <Button
        {...rest}
        look={faded ? look : 'plain'}
        aria-disabled
        aria-describedby={noteId}
        title={forbidden}
      />
      <span id={noteId} className="sr-only">
        {forbidden}
      </span>
    </>
  )
}
