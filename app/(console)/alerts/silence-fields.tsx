'use client'

import { fieldClass } from '@/app/_ui/field'
import { fromField, toField, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { useZone } from '@/app/_ui/zone'
import type { SilenceForm } from './act'

export type Draft = Omit<SilenceForm, 'minutes' | 'startsAt'> & {
  /** Null = now. */
  start: Date | null
  /** Null = not chosen yet. */
  minutes: number | null
}

const LENGTHS = [
  { minutes: 15, label: '15 minutes' },
  { minutes: 60, label: '1 hour' },
  { minutes: 240, label: '4 hours' },
  { minutes: 720, label: '12 hours' },
  { minutes: 1440, label: '1 day' },
  { minutes: 10_080, label: '7 days' },
  { minutes: 43_200, label: '30 days' },
]

/** Null while something is missing: what is matched, or the end. */
export function formOf({ start, minutes, ...draft }: Draft): SilenceForm | null {
  if (minutes === null || (draft.kind === '' && draft.subject.trim() === '')) return null
  return { ...draft, minutes, startsAt: start?.toISOString() ?? null }
}

type Props = {
  draft: Draft
  onChange: (draft: Draft) => void
  kinds: { value: string; label: string }[]
  environments: string[]
}

/** Which alerts, from when, for how long. */
export function SilenceFields({ draft, onChange, kinds, environments }: Props) {
  const set = (change: Partial<Draft>) => onChange({ ...draft, ...change })
  return (
    <div className="grid gap-3 sm:grid-cols-2 [&>*]:min-w-0">
      <label className="block">
        <span className="mb-1 block font-medium">Alert</span>
        <select
          value={draft.kind}
          onChange={(event) => set({ kind: event.target.value })}
          className={fieldClass}
        >
          <option value="">Any alert</option>
          {kinds.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <div>
        <label className="block">
          <span className="mb-1 block font-medium">Subject; empty means any</span>
          <input
            value={draft.subject}
            maxLength={200}
            autoComplete="off"
            placeholder="a service, a source"
            onChange={(event) => set({ subject: event.target.value })}
            className={fieldClass}
          />
        </label>
        <label className="mt-1 flex min-h-8 items-center gap-2 max-md:min-h-11">
          <input
            type="checkbox"
            checked={draft.prefix}
            onChange={(event) => set({ prefix: event.target.checked })}
          />{' '}
          The subject begins with it
        </label>
      </div>
      <When draft={draft} set={set} />
      {environments.length > 1 && (
        <label className="block">
          <span className="mb-1 block font-medium">Environment</span>
          <select
            value={draft.environment}
            onChange={(event) => set({ environment: event.target.value })}
            className={fieldClass}
          >
            <option value="">Any</option>
            {environments.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}

function When({ draft, set }: { draft: Draft; set: (change: Partial<Draft>) => void }) {
  const zone = useZone()
  const now = new Date(useNow())
  return (
    <>
      <label className="block">
        <span className="mb-1 block font-medium">Ends after</span>
        <select
          value={draft.minutes ?? ''}
          required
          onChange={(event) =>
            set({ minutes: event.target.value === '' ? null : Number(event.target.value) })
          }
          className={fieldClass}
        >
          <option value="">Choose an end</option>
          {LENGTHS.map(({ minutes, label }) => (
            <option key={minutes} value={minutes}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label className="block">
        <span className="mb-1 block font-medium">Begins, {zoneText(now, zone)}; empty means now</span>
        <input
          type="datetime-local"
          min={toField(now, zone)}
          onChange={(event) => set({ start: fromField(event.target.value, zone) })}
          className={fieldClass}
        />
      </label>
    </>
  )
}
