'use client'

import { CheckField, SelectField, TextField } from '@/app/_ui/field'
import { fromField, toField, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { useZone } from '@/app/_ui/zone'
import type { SilenceForm } from './actions'

export type Draft = Omit<SilenceForm, 'minutes' | 'startsAt'> & {
  /** Null = now. */
  start: Date | null
  /** Null = not chosen yet. */
  minutes: number | null
}

/** By minutes. */
const LENGTHS = [
  { value: '15', label: '15 minutes' },
  { value: '60', label: '1 hour' },
  { value: '240', label: '4 hours' },
  { value: '720', label: '12 hours' },
  { value: '1440', label: '1 day' },
  { value: '10080', label: '7 days' },
  { value: '43200', label: '30 days' },
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
  const zone = useZone()
  const now = new Date(useNow())
  const set = (change: Partial<Draft>) => onChange({ ...draft, ...change })
  return (
    <div className="grid gap-3 sm:grid-cols-2 [&>*]:min-w-0">
      <SelectField
        label="Alert"
        value={draft.kind}
        onChange={({ target }) => set({ kind: target.value })}
        choices={[{ value: '', label: 'Any alert' }, ...kinds]}
      />
      <div>
        <TextField
          label="Subject; empty means any"
          value={draft.subject}
          maxLength={200}
          placeholder="a service, a source"
          onChange={({ target }) => set({ subject: target.value })}
        />
        <CheckField
          label="The subject begins with it"
          checked={draft.prefix}
          onChange={({ target }) => set({ prefix: target.checked })}
        />
      </div>
      <SelectField
        label="Ends after"
        value={draft.minutes ?? ''}
        required
        onChange={({ target }) => set({ minutes: target.value === '' ? null : Number(target.value) })}
        choices={[{ value: '', label: 'Choose an end' }, ...LENGTHS]}
      />
      <TextField
        label={`Begins, ${zoneText(now, zone)}; empty means now`}
        type="datetime-local"
        min={toField(now, zone)}
        onChange={({ target }) => set({ start: fromField(target.value, zone) })}
      />
      {environments.length > 1 && (
        <SelectField
          label="Environment"
          value={draft.environment}
          onChange={({ target }) => set({ environment: target.value })}
          choices={[
            { value: '', label: 'Any' },
            ...environments.map((name) => ({ value: name, label: name })),
          ]}
        />
      )}
    </div>
  )
}
