import type { ComponentProps } from 'react'
import { classNames } from './class-names'

type Look = 'primary' | 'plain' | 'danger' | 'quiet' | 'link'

const LOOK: Record<Exclude<Look, 'link'>, string> = {
  primary: 'border-accent-fill bg-accent-fill text-on-accent hover:brightness-95 dark:hover:brightness-110',
  plain:
    'border-line-strong bg-surface text-ink hover:bg-sunken aria-disabled:border-edge aria-disabled:border-dashed aria-disabled:text-ink-2',
  danger: 'border-bad-fill bg-bad-fill text-on-accent hover:brightness-95',
  quiet: 'border-transparent bg-transparent text-ink-2 hover:bg-sunken hover:text-ink',
}

/** A button within a text, that looks like a link. */
const LINK =
  'inline-flex items-center font-medium text-accent-ink hover:underline max-md:min-h-11 aria-disabled:cursor-not-allowed aria-disabled:text-ink-3 aria-disabled:no-underline'

/** For links that look like a button. */
export const buttonClass = (look: Look = 'plain', className?: string): string => {
  if (look === 'link') return classNames(LINK, className)
  return classNames(
    'inline-flex h-8 items-center justify-center gap-2 whitespace-nowrap rounded-m border px-3 text-m font-medium',
    'max-md:h-11 aria-disabled:cursor-not-allowed disabled:cursor-not-allowed disabled:opacity-60 print:hidden',
    LOOK[look],
    className,
  )
}

export function Button({
  look,
  className,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { look?: Look }) {
  return <button type={type} className={buttonClass(look, className)} {...rest} />
}
