'use client'

import { useState } from 'react'
import { type Choice, RadioFields, SelectField, TextField } from '@/app/_ui/field'

export type Subject = 'window' | 'key' | 'reference' | 'outage'
export type Prefilled = { subject: Subject; scope: string; key: string; reference: string; outage: string }

type Props = {
  windows: readonly Choice[]
  window: string
  /** Times in which a source could not be read, the latest first. */
  outages: readonly Choice[]
  given: Prefilled
}

const SUBJECTS: { value: Subject; label: string }[] = [
  { value: 'window', label: 'A time range' },
  { value: 'key', label: 'One key' },
  { value: 'reference', label: 'One order' },
  { value: 'outage', label: 'An outage' },
]
const TEXT = { required: true, maxLength: 300, className: 'font-mono' } as const

/** What a run is about: a window, one key, one order, or the time of an outage. */
export function RunSubject({ windows, window, outages, given }: Props) {
  const [subject, setSubject] = useState(given.subject)
  return (
    <>
      <RadioFields
        name="subject"
        label="What to compare"
        value={subject}
        onChange={({ target }) => {
          const chosen = SUBJECTS.find(({ value }) => value === target.value)
          if (chosen !== undefined) setSubject(chosen.value)
        }}
        choices={SUBJECTS.map((choice) =>
          choice.value === 'outage' && outages.length === 0 ? NO_OUTAGE : choice,
        )}
      />
      {subject === 'window' && (
        <SelectField name="window" label="Window" defaultValue={window} choices={windows} />
      )}
      {subject === 'outage' && (
        <SelectField name="outage" label="Outage" defaultValue={given.outage} choices={outages} />
      )}
      {subject === 'key' && (
        <>
          <TextField
            {...TEXT}
            name="scope"
            label="Scope"
            defaultValue={given.scope}
            placeholder="web/POST /v1/payments"
          />
          <TextField {...TEXT} name="key" label="Key, as the caller sent it" defaultValue={given.key} />
        </>
      )}
      {subject === 'reference' && (
        <TextField {...TEXT} name="reference" label="Order reference" defaultValue={given.reference} />
      )}
      {(subject === 'key' || subject === 'reference') && (
        <p className="text-ink-2">
          Store, ledger and provider are asked for it by id. Nothing is listed, and other cases stay as they
          are.
        </p>
      )}
    </>
  )
}

const NO_OUTAGE: Choice = {
  value: 'outage',
  label: (
    <>
      An outage <span className="text-ink-3">(none seen)</span>
    </>
  ),
  disabled: true,
}
