'use client'

import { Check, ChevronDown, Clock } from 'lucide-react'
import { useQueryStates } from 'nuqs'
import { Popover } from 'radix-ui'
import { type FormEvent, useId, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { chipClass } from '@/app/_ui/chip'
import { fromField, rangeText, toField, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { menuItemClass, PopoverPortal, PopoverRoot, popoverClass } from '@/app/_ui/popover'
import { isRange, PRESET_NAMES, PRESETS, RANGE_MS_MAX, rangeParsers, type Zone } from '@/app/_ui/time-range'
import { useZone } from '@/app/_ui/zone'

/** The range of every page. A preset moves with the time; a custom range stands still. */
export function RangePicker() {
  const [open, setOpen] = useState(false)
  const [{ range, from, to }, setRange] = useQueryStates(rangeParsers, { shallow: false, history: 'push' })
  const zone = useZone()
  const custom = from !== null && to !== null ? { from, to } : null
  const choose = (next: Parameters<typeof setRange>[0]) => {
    setOpen(false)
    void setRange(next)
  }
  return (
    <PopoverRoot open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={chipClass('plain', 'min-w-0 font-medium text-ink hover:bg-sunken')}>
        <Clock size={14} aria-hidden="true" className="shrink-0 text-ink-2 max-[479px]:hidden" />
        <span className="sr-only">Time range: </span>
        <span className="truncate">
          {custom === null ? (
            <>
              <span className="max-[479px]:hidden">Last </span>
              {PRESETS[range].label.replace('Last ', '')}
            </>
          ) : (
            rangeText(custom, zone)
          )}
        </span>
        <ChevronDown size={14} aria-hidden="true" className="shrink-0 text-ink-3" />
      </Popover.Trigger>
      <PopoverPortal>
        <Popover.Content
          align="start"
          sideOffset={6}
          className={popoverClass('w-72')}
          aria-label="Time range"
        >
          <ul>
            {PRESET_NAMES.map((name) => {
              const chosen = custom === null && name === range
              return (
                <li key={name}>
                  <button
                    type="button"
                    aria-pressed={chosen}
                    onClick={() => choose({ range: name, from: null, to: null })}
                    className={`${menuItemClass} w-full hover:bg-sunken focus-visible:outline-2`}
                  >
                    <span className="w-4">{chosen && <Check size={14} aria-hidden="true" />}</span>
                    {PRESETS[name].label}
                  </button>
                </li>
              )
            })}
          </ul>
          <CustomRange range={custom} zone={zone} onApply={(from, to) => choose({ range: null, from, to })} />
        </Popover.Content>
      </PopoverPortal>
    </PopoverRoot>
  )
}

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

type Props = {
  range: { from: Date; to: Date } | null
  zone: Zone
  onApply: (from: Date, to: Date) => void
}

/** Two moments in the chosen zone. */
function CustomRange({ range, zone, onApply }: Props) {
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
