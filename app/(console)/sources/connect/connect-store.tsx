'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { LinesField, SelectField, TextField } from '@/app/_ui/field'
import { Item, Items } from '@/app/_ui/item'
import { NotDoneNote } from '@/app/_ui/note'
import { useVerb } from '@/app/_ui/use-verb'
import { countText, plural } from '@/lib/core/format-figure'
import { type DetectedLayout, type Draft, detect, look } from './actions'
import { ENGINE_CHOICES, ENGINE_FORMS } from './engine-forms'
import { LookedCard } from './looked-card'

const UNANSWERED = { noAnswer: 'The console did not answer. Nothing was saved: try again.' }

const EMPTY: Draft = { engine: 'postgresql', secret: {}, adapter: '', config: '{}' }

/** Address → what is there → what its rows mean → connected. Until the last step nothing is saved. */
export function ConnectStore({ place }: { place: string }) {
  const [draft, setDraft] = useState(EMPTY)
  const [layouts, setLayouts] = useState<DetectedLayout[] | null>(null)
  const preview = useVerb(look, UNANSWERED)
  const search = useVerb(detect, { ...UNANSWERED, onDone: setLayouts })
  const pending = search.pending || preview.pending
  const fault = preview.fault ?? search.fault
  const choose = (layout: DetectedLayout) => {
    const next = { ...draft, adapter: layout.adapter, config: JSON.stringify(layout.config, null, 2) }
    setDraft(next)
    search.forget()
    preview.send(next)
  }
  return (
    <>
      <AddressCard
        draft={draft}
        pending={pending}
        onChange={(secret) => setDraft({ ...draft, secret })}
        onEngine={(engine) => {
          setDraft({ ...EMPTY, engine })
          setLayouts(null)
          search.forget()
          preview.forget()
        }}
        onSearch={() => {
          preview.forget()
          search.send(draft)
        }}
      />
      {fault !== null && <NotDoneNote fault={fault} />}
      {layouts !== null && <FoundCard layouts={layouts} draft={draft} onChoose={choose} />}
      {draft.adapter !== '' && (
        <MappingCard
          draft={draft}
          pending={pending}
          onChange={(config) => {
            setDraft({ ...draft, config })
            preview.forget()
          }}
          onPreview={() => preview.send(draft)}
        />
      )}
      {preview.answer?.kind === 'done' && (
        <LookedCard looked={preview.answer.value} draft={draft} place={place} />
      )}
    </>
  )
}

function AddressCard(props: {
  draft: Draft
  pending: boolean
  onChange: (secret: Draft['secret']) => void
  onEngine: (engine: Draft['engine']) => void
  onSearch: () => void
}) {
  const { engine, secret } = props.draft
  const form = ENGINE_FORMS[engine]
  const missing = form.fields.some(({ name, optional }) => optional !== true && !secret[name]?.trim())
  const submit = (event: FormEvent) => {
    event.preventDefault()
    props.onSearch()
  }
  return (
    <Card id="address" title="1  Its address">
      <form method="post" onSubmit={submit} className="grid gap-3 px-4 pb-4">
        <SelectField
          label="Engine"
          choices={ENGINE_CHOICES}
          value={engine}
          onChange={({ target }) => props.onEngine(target.value as Draft['engine'])}
        />
        {form.fields.map(({ optional, open, ...field }) => (
          <TextField
            key={field.name}
            {...field}
            type={open ? 'text' : 'password'}
            value={secret[field.name] ?? ''}
            required={optional !== true}
            spellCheck={false}
            onChange={({ target }) => props.onChange({ ...secret, [field.name]: target.value })}
          />
        ))}
        <div>
          <Button type="submit" look="primary" disabled={props.pending || missing}>
            {props.pending ? 'Looking …' : form.search}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function FoundCard(props: {
  layouts: readonly DetectedLayout[]
  draft: Draft
  onChoose: (layout: DetectedLayout) => void
}) {
  const { layouts, draft, onChoose } = props
  const { nothing, noun } = ENGINE_FORMS[draft.engine]
  return (
    <Card id="found" title="2  What is there" aside={plural(layouts.length, 'layout')}>
      {layouts.length === 0 ? (
        <EmptyState kind="none" title={nothing.title}>
          {nothing.text}
        </EmptyState>
      ) : (
        <Items>
          {layouts.map((layout) => (
            <Item
              key={`${layout.library} ${layout.place}`}
              title={layout.library}
              action={
                <Button
                  look={draft.adapter === layout.adapter ? 'plain' : 'primary'}
                  onClick={() => onChoose(layout)}
                >
                  Preview its {noun.row}s
                </Button>
              }
            >
              <span className="font-mono">{layout.place}</span>, about {countText(layout.rowsEstimate)}{' '}
              {noun.row}s, adapter {layout.adapter}
            </Item>
          ))}
        </Items>
      )}
    </Card>
  )
}

function MappingCard(props: {
  draft: Draft
  pending: boolean
  onChange: (config: string) => void
  onPreview: () => void
}) {
  return (
    <details className="rounded-m border border-line bg-surface px-4 py-3 shadow-card">
      <summary className="font-semibold text-l">Mapping, as JSON</summary>
      <div className="mt-2">
        <LinesField
          nested
          label={`Adapter ${props.draft.adapter}`}
          className="font-mono text-s"
          value={props.draft.config}
          rows={10}
          spellCheck={false}
          onChange={({ target }) => props.onChange(target.value)}
        />
      </div>
      <Button className="mt-2" disabled={props.pending} onClick={props.onPreview}>
        {props.pending ? 'Reading …' : 'Preview again'}
      </Button>
    </details>
  )
}
