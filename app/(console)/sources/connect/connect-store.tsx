'use client'

import { type FormEvent, useState } from 'react'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { LinesField, TextField } from '@/app/_ui/field'
import { Item, Items } from '@/app/_ui/item'
import { NotDoneNote } from '@/app/_ui/note'
import { useVerb } from '@/app/_ui/use-verb'
import { countText, plural } from '@/lib/core/format-figure'
import { type DetectedLayout, type Draft, detect, look } from './actions'
import { LookedCard } from './looked-card'

const UNANSWERED = { noAnswer: 'The console did not answer. Nothing was saved: try again.' }

/** Address → what is there → what its rows mean → connected. Until the last step nothing is saved. */
export function ConnectStore({ place }: { place: string }) {
  const [draft, setDraft] = useState<Draft>({ url: '', adapter: '', config: '{}' })
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
        url={draft.url}
        pending={pending}
        onChange={(url) => setDraft({ ...draft, url })}
        onSearch={() => {
          preview.forget()
          search.send(draft.url)
        }}
      />
      {fault !== null && <NotDoneNote fault={fault} />}
      {layouts !== null && <FoundCard layouts={layouts} chosen={draft.adapter} onChoose={choose} />}
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
  url: string
  pending: boolean
  onChange: (url: string) => void
  onSearch: () => void
}) {
  const submit = (event: FormEvent) => {
    event.preventDefault()
    props.onSearch()
  }
  return (
    <Card id="address" title="1  Its address">
      <form method="post" onSubmit={submit} className="grid gap-3 px-4 pb-4">
        <TextField
          name="url"
          label="Connection URL"
          type="password"
          value={props.url}
          required
          spellCheck={false}
          placeholder="postgres://idemscope_source:…@db/payments"
          hint="With a role of its own that may read. It is sealed when you connect, and never shown again."
          onChange={({ target }) => props.onChange(target.value)}
        />
        <div>
          <Button type="submit" look="primary" disabled={props.pending || props.url.trim() === ''}>
            {props.pending ? 'Looking …' : 'Look for idempotency tables'}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function FoundCard(props: {
  layouts: readonly DetectedLayout[]
  chosen: string
  onChoose: (layout: DetectedLayout) => void
}) {
  const { layouts, chosen, onChoose } = props
  return (
    <Card id="found" title="2  What is there" aside={plural(layouts.length, 'layout')}>
      {layouts.length === 0 ? (
        <EmptyState kind="none" title="No table that we know by its columns">
          The role may not see its schema, or the library is another one: map any table with the adapter
          mapped-postgres, as docs/guides/foreign-stores.md says.
        </EmptyState>
      ) : (
        <Items>
          {layouts.map((layout) => (
            <Item
              key={`${layout.schema}.${layout.table}`}
              title={layout.library}
              action={
                <Button
                  look={chosen === layout.adapter ? 'plain' : 'primary'}
                  onClick={() => onChoose(layout)}
                >
                  Preview its rows
                </Button>
              }
            >
              <span className="font-mono">
                {layout.schema}.{layout.table}
              </span>
              , about {countText(layout.rowsEstimate)} rows, adapter {layout.adapter}
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
