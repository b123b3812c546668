'use client'

import { useState } from 'react'
import { fieldClass } from '@/app/_ui/field'

export type Choice = { value: string; label: string }
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

/** What a run is about: a window, one key, one order, or the time of an outage. */
export function RunSubject({ windows, window, outages, given }: Props) {
  const [subject, setSubject] = useState(given.subject)
  return (
    <>
      <fieldset>
        <legend className="mb-1 font-medium">What to compare</legend>
        <div className="flex flex-wrap gap-x-4">
          {SUBJECTS.map(({ value, label }) => (
            <label key={value} className="flex min-h-8 items-center gap-2 max-md:min-h-11">
              <input
                type="radio"
                name="subject"
                value={value}
                checked={subject === value}
                disabled={value === 'outage' && outages.length === 0}
                onChange={() => setSubject(value)}
              />{' '}
              {label}
              {value === 'outage' && outages.length === 0 && <span className="text-ink-3">(none seen)</span>}
            </label>
          ))}
        </div>
      </fieldset>
      {subject === 'window' && <Select name="window" label="Window" chosen={window} choices={windows} />}
      {subject === 'outage' && (
        <Select name="outage" label="Outage" chosen={given.outage} choices={outages} />
      )}
      {subject === 'key' && (
        <>
          <Text name="scope" label="Scope" value={given.scope} placeholder="web/POST /v1/payments" />
          <Text name="key" label="Key, as the caller sent it" value={given.key} />
        </>
      )}
      {subject === 'reference' && <Text name="reference" label="Order reference" value={given.reference} />}
      {(subject === 'key' || subject === 'reference') && (
        <p className="text-ink-2">
          Store, ledger and provider are asked for it by id. Nothing is listed, and other cases stay as they
          are.
        </p>
      )}
    </>
  )
}

function Select({
  name,
  label,
  chosen,
  choices,
}: {
  name: string
  label: string
  chosen: string
  choices: readonly Choice[]
}) {
  return (
    <label className="block">
      <span className="mb-1 block font-medium">{label}</span>
      <select name={name} className={fieldClass} defaultValue={chosen}>
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </label>
  )
}

function Text(props: { name: string; label: string; value: string; placeholder?: string }) {
  const { name, label, value, placeholder } = props
  return (
    <label className="block">
      <span className="mb-1 block font-medium">{label}</span>
      <input
        name={name}
        required
        maxLength={300}
        defaultValue={value}
        placeholder={placeholder}
        autoComplete="off"
        className={`${fieldClass} font-mono`}
      />
    </label>
  )
}
