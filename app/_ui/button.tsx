import type { ComponentProps } from 'react'
import { classNames } from './class-names'

type Look = 'primary' | 'plain' | 'danger' | 'quiet'

const LOOK: Record<Look, string> = {
  primary: 'border-accent-fill bg-accent-fill text-on-accent hover:brightness-95 dark:hover:brightness-110',
  plain:
    'border-line-strong bg-surface text-ink hover:bg-sunken aria-disabled:border-edge aria-disabled:border-dashed aria-disabled:text-ink-2',
  danger: 'border-bad-fill bg-bad-fill text-on-accent hover:brightness-95',
  quiet: 'border-transparent bg-transparent text-ink-2 hover:bg-sunken hover:text-ink',
}

/** For links that look like a button. */
export const buttonClass = (look: Look = 'plain', className?: string): string =>
  classNames(
    'inline-flex h-8 items-center justify-center gap-2 whitespace-nowrap rounded-m border px-3 text-m font-medium',
    'max-md:h-11 aria-disabled:cursor-not-allowed disabled:cursor-not-allowed disabled:opacity-60',
    LOOK[look],
    className,
  )

export function Button({
  look,
  className,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { look?: Look }) {
  return <button type={type} className={buttonClass(look, className)} {...rest} />
}
