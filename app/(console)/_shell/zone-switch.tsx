'use client'

import { useQueryState } from 'nuqs'
import { ToggleGroup } from 'radix-ui'
import { ZONES, zoneParser } from '@/app/_ui/time-range'

const LABEL = { utc: 'UTC', local: 'Local' } as const

/** Tables, tooltips, axes and pickers change together. */
export function ZoneSwitch() {
  const [zone, setZone] = useQueryState('tz', zoneParser)
  return (
    <ToggleGroup.Root
      type="single"
      value={zone}
      aria-label="Time zone"
      onValueChange={(value) => {
        const chosen = ZONES.find((each) => each === value)
        if (chosen) void setZone(chosen)
      }}
      className="inline-flex h-7 overflow-hidden rounded-[6px] border border-line text-s max-md:h-11"
    >
      {ZONES.map((each) => (
        <ToggleGroup.Item
          key={each}
          value={each}
          className="px-2.5 font-medium text-ink-2 -outline-offset-2 hover:text-ink data-[state=on]:bg-sunken data-[state=on]:text-ink max-md:px-4"
        >
          {LABEL[each]}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  )
}
