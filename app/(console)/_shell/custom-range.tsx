'use client'

import { type FormEvent, useId, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { fromField, toField, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { isRange, RANGE_MS_MAX, type Zone } from '@/app/_ui/time-range'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

type Props = {
  range: { from: Date; to: Date } | null
  zone: Zone
  onApply: (from: Date, to: Date) => void
}

/** Two moments in the chosen zone. */
export function CustomRange({ range, zone, onApply }: Props) {
  const now = useNow()
  const id = useId()
  const [fault, setFault] = useState<string | null>(null)
  const [initial] = useState(() => range ?? { from: new Date(now - HOUR_MS), to: new Date(now) })

  function apply(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const from = fromField(String(data.get('from')), zone)
    const to = fromField(String(data.get('to')), zone)
    if (from === null || to === null) setFault('Give both a beginning and an end.')
    else if (to <= from) setFault('The end must come after the beginning.')
    else if (!isRange(from, to)) setFault(`A range is at most ${RANGE_MS_MAX / DAY_MS} days.`)
    else onApply(from, to)
  }

  return (
    <form onSubmit={apply} noValidate className="mt-2 border-line border-t px-2 pt-3 pb-1">
      {(['from', 'to'] as const).map((name) => (
        <div key={name} className="mb-2 grid grid-cols-[3rem_1fr] items-center gap-2">
          <label htmlFor={`${id}-${name}`} className="text-ink-2">
            {name === 'from' ? 'From' : 'To'}
          </label>
          <input
            id={`${id}-${name}`}
            name={name}
            type="datetime-local"
            required
            aria-describedby={`${id}-fault`}
            defaultValue={toField(initial[name], zone)}
            className="h-8 min-w-0 rounded-s border border-edge bg-surface px-2 max-md:h-11"
          />
        </div>
      ))}
      <div className="flex items-center justify-between gap-2">
        <p id={`${id}-fault`} role="status" className="text-bad-ink text-s">
          {fault ?? <span className="text-ink-2">in {zoneText(initial.to, zone)}</span>}
        </p>
        <Button type="submit" look="primary">
          Apply
        </Button>
      </div>
    </form>
  )
}
