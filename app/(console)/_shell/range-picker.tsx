'use client'

import { Check, ChevronDown, Clock } from 'lucide-react'
import { useQueryStates } from 'nuqs'
import { Popover } from 'radix-ui'
import { useState } from 'react'
import { chipClass } from '@/app/_ui/chip'
import { clockText, dayClockText, sameDay, zoneText } from '@/app/_ui/format-time'
import { menuItemClass, popoverClass } from '@/app/_ui/popover'
import { PRESET_NAMES, PRESETS, rangeParsers } from '@/app/_ui/time-range'
import { useZone } from '@/app/_ui/zone'
import { CustomRange } from './custom-range'

/** The range of every page. A preset moves with the time; a custom range stands still. */
export function RangePicker() {
  const [open, setOpen] = useState(false)
  const [{ range, from, to }, setRange] = useQueryStates(rangeParsers, { shallow: false, history: 'push' })
  const zone = useZone()
  const custom = from !== null && to !== null ? { from, to } : null
  const label =
    custom === null
      ? PRESETS[range].label
      : `${dayClockText(custom.from, zone)} – ${sameDay(custom.from, custom.to, zone) ? clockText(custom.to, zone) : dayClockText(custom.to, zone)} ${zoneText(custom.to, zone)}`
  const choose = (next: Parameters<typeof setRange>[0]) => {
    setOpen(false)
    void setRange(next)
  }
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={chipClass('plain', 'min-w-0 font-medium text-ink hover:bg-sunken')}>
        <Clock size={14} aria-hidden="true" className="shrink-0 text-ink-2" />
        <span className="sr-only">Time range: </span>
        <span className="truncate">
          {custom === null ? (
            <>
              <span className="max-[479px]:hidden">Last </span>
              {PRESETS[range].label.replace('Last ', '')}
            </>
          ) : (
            label
          )}
        </span>
        <ChevronDown size={14} aria-hidden="true" className="shrink-0 text-ink-3" />
      </Popover.Trigger>
      <Popover.Portal>
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
      </Popover.Portal>
    </Popover.Root>
  )
}
