'use client'

import { Check, Copy, type LucideIcon } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './button'
import { classNames } from './class-names'

const SAID_FOR_MS = 2_500

/** Copies text as it is; integers beyond 2^53 too, since they are text. */
export function CopyButton({
  text,
  label,
  icon: Icon = Copy,
  iconOnly = false,
}: {
  /** Or what gives it when it is copied. */
  text: string | (() => string)
  label: string
  icon?: LucideIcon
  /** Where there is no room for words; they are its name then. */
  iconOnly?: boolean
}) {
  const [said, setSaid] = useState<'copied' | 'refused' | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), SAID_FOR_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () =>
    navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => setSaid('copied'),
      () => setSaid('refused'),
    )
  const words = said === 'copied' ? 'Copied' : said === 'refused' ? 'Clipboard refused' : label
  return (
    // Positioned: what is for screen readers alone must not widen a page that scrolls.
    <span className="relative inline-flex">
      <Button
        look="quiet"
        className={classNames('relative z-10', iconOnly && 'w-8 px-0! max-md:w-11')}
        title={iconOnly ? words : undefined}
        onClick={() => void copy()}
      >
        {said === 'copied' ? <Check size={14} aria-hidden="true" /> : <Icon size={14} aria-hidden="true" />}
        <span className={iconOnly ? 'sr-only' : undefined}>{words}</span>
      </Button>
      <span role="status" className="sr-only">
        {said === null ? '' : words}
      </span>
    </span>
  )
}
