'use client'

import { Check, ChevronDown } from 'lucide-react'
import { Popover } from 'radix-ui'
import { useState } from 'react'
import { countText } from '@/lib/core/format-figure'
import { classNames } from './class-names'
import { QueryLink } from './page-link'
import { menuItemClass, PopoverPortal, PopoverRoot, popoverClass } from './popover'

const CHIP =
  'inline-flex h-7 max-w-full items-center gap-1.5 whitespace-nowrap rounded-full border px-3 font-medium text-s max-md:h-10'
const CHOSEN = 'border-accent bg-accent-soft text-accent-ink'
const OTHER = 'border-line-strong text-ink-2 hover:bg-sunken hover:text-ink'

/** Counted only so far: "≥ 10,000". */
type Capped = { count: number; capped: boolean }

export type FacetValue = {
  value: string
  /** Absent = the value itself says it. */
  label?: string
  /** Absent or null = not counted. */
  count?: number | Capped | null
}

const facetCount = (count: number | Capped): string =>
  typeof count === 'number'
    ? countText(count)
    : count.capped
      ? `≥ ${countText(count.count)}`
      : countText(count.count)

/** One of several views of a table, with how many rows it has. */
export function ViewChip(props: {
  set: Record<string, string | null>
  chosen: boolean
  label: string
  count?: number | null
}) {
  return (
    <QueryLink
      set={props.set}
      scroll={false}
      aria-current={props.chosen ? 'true' : undefined}
      className={classNames(CHIP, props.chosen ? CHOSEN : OTHER)}
    >
      {props.label}
      {typeof props.count === 'number' && <b className="font-semibold">{countText(props.count)}</b>}
    </QueryLink>
  )
}

/** A filter by one column: "Endpoint: any". Choosing begins at the first page again. */
export function FacetChip({
  name,
  label,
  chosen,
  values: offered,
  reset = ['cursor'],
}: {
  name: string
  label: string
  chosen: string | null
  values: readonly (FacetValue | string)[]
  reset?: readonly string[]
}) {
  const [open, setOpen] = useState(false)
  const cleared = Object.fromEntries(reset.map((parameter) => [parameter, null]))
  const values = offered.map((each) => ({
    label: typeof each === 'string' ? each : each.value,
    count: null,
    ...(typeof each === 'string' ? { value: each } : each),
  }))
  const shown = values.find(({ value }) => value === chosen)?.label ?? chosen ?? 'any'
  const choices = [{ value: null, label: 'Any', count: null }, ...values]
  return (
    <PopoverRoot open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={classNames(CHIP, 'min-w-0', chosen === null ? OTHER : CHOSEN)}>
        <span className="truncate">
          {label}: {shown}
        </span>
        <ChevronDown size={12} aria-hidden="true" className="shrink-0" />
      </Popover.Trigger>
      <PopoverPortal>
        <Popover.Content align="start" sideOffset={6} aria-label={label} className={popoverClass('min-w-56')}>
          <ul>
            {choices.map((choice) => (
              <li key={choice.value ?? ''}>
                <QueryLink
                  set={{ ...cleared, [name]: choice.value }}
                  scroll={false}
                  onClick={() => setOpen(false)}
                  aria-current={choice.value === chosen ? 'true' : undefined}
                  className={classNames(menuItemClass, 'hover:bg-sunken')}
                >
                  <span className="w-4 shrink-0">
                    {choice.value === chosen && <Check size={14} aria-hidden="true" />}
                  </span>
                  <span className="min-w-0 flex-1 truncate">{choice.label}</span>
                  {choice.count !== null && (
                    <span className="pl-4 text-ink-3 text-s">{facetCount(choice.count)}</span>
                  )}
                </QueryLink>
              </li>
            ))}
          </ul>
        </Popover.Content>
      </PopoverPortal>
    </PopoverRoot>
  )
}
