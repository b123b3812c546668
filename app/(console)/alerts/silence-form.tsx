'use client'

import { useEffect, useState } from 'react'
import type { Attempted } from '@/app/_server/attempt'
import { CheckField, SelectField, TextField } from '@/app/_ui/field'
import { fromField, toField, zoneText } from '@/app/_ui/format-time'
import { useNow } from '@/app/_ui/now-clock'
import { Time } from '@/app/_ui/time'
import { answered } from '@/app/_ui/use-verb'
import { useZone } from '@/app/_ui/zone'
import { type SilenceForm as Asked, lookAtSilence, type SilenceLook } from './actions'

/** What is asked for, and what it would concern. */
export type SeenSilence = { form: Asked; look: SilenceLook }

type Draft = Omit<Asked, 'minutes' | 'startsAt'> & {
  /** Null = now. */
  start: Date | null
  /** Null = not chosen yet. */
  minutes: number | null
}

const EMPTY: Draft = { kind: '', subject: '', prefix: false, environment: '', start: null, minutes: null }
const NO_ANSWER = 'The console did not answer. Trying again is safe.'
/** Somebody types: what is looked up waits for a pause. */
const PAUSE_MS = 250

export type SilenceFormProps = {
  kinds: { value: string; label: string }[]
  environments: string[]
  given?: { kind: string; subject: string }
  /** Another one looks again. */
  turn: string
  /** Null while something is missing, or looked up. */
  onSeen: (seen: SeenSilence | null) => void
}

/** Which alerts, from when, for how long; and what that concerns now. */
export function SilenceForm({ kinds, environments, given, turn, onSeen }: SilenceFormProps) {
  const [draft, setDraft] = useState<Draft>({ ...EMPTY, ...given })
  const form = formOf(draft)
  const look = useLook(form, turn, onSeen)
  return (
    <>
      <Fields draft={draft} onChange={setDraft} kinds={kinds} environments={environments} />
      <Preview look={look} waits={form === null} />
      {look?.kind === 'done' && look.value.tier === 1 && (
        <p className="text-ink-2 text-s">Up to an hour any reason will do; it can be undone at once.</p>
      )}
    </>
  )
}

/** Null while something is missing: what is matched, or the end. */
function formOf({ start, minutes, ...draft }: Draft): Asked | null {
  if (minutes === null || (draft.kind === '' && draft.subject.trim() === '')) return null
  return { ...draft, minutes, startsAt: start?.toISOString() ?? null }
}

/** What the form would concern now; null while that is looked up. Another `turn` looks again. */
function useLook(form: Asked | null, turn: string, onSeen: SilenceFormProps['onSeen']) {
  const [look, setLook] = useState<Attempted<SilenceLook> | null>(null)
  const asked = form === null ? null : JSON.stringify({ turn, form })
  useEffect(() => {
    let current = true
    setLook(null)
    onSeen(null)
    if (asked === null) return
    const timer = setTimeout(async () => {
      const { form } = JSON.parse(asked)
      const answer = await answered(lookAtSilence(form), NO_ANSWER)
      if (!current) return
      setLook(answer)
      onSeen(answer.kind === 'done' ? { form, look: answer.value } : null)
    }, PAUSE_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [asked, onSeen])
  return look
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

type FieldsProps = Pick<SilenceFormProps, 'kinds' | 'environments'> & {
  draft: Draft
  onChange: (draft: Draft) => void
}

function Fields({ draft, onChange, kinds, environments }: FieldsProps) {
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
          choices={[{ value: '', label: 'Any' }, ...environments]}
        />
      )}
    </div>
  )
}

/** What would be silenced now, and silences that could concern the same. */
function Preview({ look, waits }: { look: Attempted<SilenceLook> | null; waits: boolean }) {
  return (
    <div role="status" className="grid gap-3 rounded-m border border-line bg-sunken px-3 py-2">
      {waits && (
        <p className="text-ink-2">
          Choose an alert or a subject, and an end: then what matches is listed here.
        </p>
      )}
      {!waits && look === null && <p className="text-ink-2">Looking for what matches …</p>}
      {look?.kind === 'not_done' && <p className="text-bad-ink">{look.why}</p>}
      {look?.kind === 'done' && <Concerned {...look.value} />}
    </div>
  )
}

function Concerned({ matching, similar }: SilenceLook) {
  return (
    <>
      <section aria-label="Matching alerts">
        <h3 className="font-medium">Matching alerts: {matching.length} firing now</h3>
        <ul className="empty:hidden">
          {matching.map(({ id, text, since }) => (
            <li key={id} className="text-ink-2">
              {text}, since <Time at={since} />
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="Similar silences">
        <h3 className="font-medium">Similar silences: {similar.length === 0 ? 'none' : similar.length}</h3>
        <ul className="empty:hidden">
          {similar.map(({ id, text, endsAt, reason }) => (
            <li key={id} className="break-words text-ink-2">
              {text}, until <Time at={endsAt} />: “{reason}”
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}
