'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { CheckField, LinesField, TextField } from '@/app/_ui/field'
import { NotDoneNote } from '@/app/_ui/note'
import { useVerb } from '@/app/_ui/use-verb'
import { ENGINE_FORMS } from '../../connect/engine-forms'
import { RegionField } from '../../connect/region-field'
import { type ChangeableSource, type ChangeDraft, lookAt } from './actions'
import { TriedCard } from './tried-card'

const UNANSWERED = { noAnswer: 'The console did not answer. Nothing was saved: try again.' }

/** The form that connects it, filled with what is not secret → tried → saved. */
export function ChangeSource({ source, place }: { source: ChangeableSource; place: string }) {
  const { id, version, system, region } = source
  const [draft, setDraft] = useState<ChangeDraft>({
    ...{ id, version, system, region: region ?? '', secret: {} },
    config: JSON.stringify(source.config, null, 2),
  })
  const tried = useVerb(lookAt, UNANSWERED)
  const set = (change: Partial<ChangeDraft>) => {
    setDraft({ ...draft, ...change })
    tried.forget()
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    tried.send(draft)
  }
  return (
    <>
      <Card id="change" title="1  What it is read with" aside={`adapter ${source.adapter}`}>
        <form method="post" onSubmit={submit} className="grid gap-3 px-4 pb-4">
          {source.secret.map((field) => (
            <SecretField
              key={field.name}
              field={field}
              now={source.place[field.name]}
              value={draft.secret[field.name]}
              onChange={(value) => set({ secret: { ...draft.secret, [field.name]: value } })}
            />
          ))}
          <TextField
            label="System"
            required
            maxLength={40}
            value={draft.system}
            hint="Sources of one system are reconciled with each other."
            onChange={({ target }) => set({ system: target.value })}
          />
          <RegionField value={draft.region} onChange={({ target }) => set({ region: target.value })} />
          <LinesField
            label="Mapping, as JSON"
            className="font-mono text-s"
            value={draft.config}
            rows={12}
            spellCheck={false}
            onChange={({ target }) => set({ config: target.value })}
          />
          <div>
            <Button type="submit" look="primary" disabled={tried.pending}>
              {tried.pending ? 'Trying …' : 'Try it, and preview'}
            </Button>
          </div>
        </form>
      </Card>
      {tried.fault !== null && <NotDoneNote fault={tried.fault} />}
      {tried.answer?.kind === 'done' && (
        <TriedCard look={tried.answer.value} draft={draft} source={source} place={place} />
      )}
    </>
  )
}

const KNOWN = Object.values(ENGINE_FORMS).flatMap(({ fields }) => [...fields])

type SecretProps = {
  field: ChangeableSource['secret'][number]
  /** Where it reads now, as far as this field says it. */
  now: string | undefined
  value: string | null | undefined
  onChange: (value: string | null) => void
}

/** Kept as long as nothing is entered; what is optional can be forgotten. */
function SecretField({ field: { name, optional, kept }, now, value, onChange }: SecretProps) {
  const known = KNOWN.find((each) => each.name === name)
  const label = known?.label ?? name
  const forgotten = value === null
  return (
    <div>
      <TextField
        label={label}
        type={known?.open === true ? 'text' : 'password'}
        value={value ?? ''}
        disabled={forgotten}
        placeholder={forgotten ? 'forgotten when you save' : kept ? 'kept as it is' : 'none'}
        hint={now === undefined ? undefined : `Now ${now}. Enter it whole to change it.`}
        spellCheck={false}
        onChange={({ target }) => onChange(target.value)}
      />
      {optional && kept && (
        <CheckField
          label={`Forget ${label}`}
          checked={forgotten}
          onChange={({ target }) => onChange(target.checked ? null : '')}
        />
      )}
    </div>
  )
}
