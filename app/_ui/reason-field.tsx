'use client'

import { useId } from 'react'

/** The server asks for as many. */
export const REASON_MIN = 10
export const REASON_MAX = 1000

export const reasonIsEnough = (reason: string): boolean => reason.trim().length >= REASON_MIN

/** Why somebody does what cannot be undone: goes into the audit. */
export function ReasonField({
  value,
  onChange,
  onBegin,
  min = REASON_MIN,
}: {
  value: string
  onChange: (value: string) => void
  onBegin?: () => void
  /** Less where it can be undone at once. */
  min?: number
}) {
  const id = useId()
  const missing = min - value.trim().length
  return (
    <div>
      <div className="mb-1 flex items-baseline justify-between">
        <label htmlFor={id} className="font-medium">
          Reason
        </label>
        <span id={`${id}-hint`} className="text-ink-3 text-s">
          {missing <= 0 ? 'recorded in the audit' : min === 1 ? 'needed' : `${missing} more characters`}
        </span>
      </div>
      <textarea
        id={id}
        aria-describedby={`${id}-hint`}
        value={value}
        maxLength={REASON_MAX}
        onFocus={onBegin}
        onChange={(event) => onChange(event.target.value)}
        rows={2}
        placeholder="What you know, and from where"
        className="block min-h-14 w-full resize-y rounded-m border border-edge bg-surface px-2.5 py-1.5 placeholder:text-ink-3 max-md:text-[16px]"
      />
    </div>
  )
}
