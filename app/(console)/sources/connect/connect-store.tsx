'use client'

import { type FormEvent, useState, useTransition } from 'react'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { fieldClass } from '@/app/_ui/field'
import { countText, plural } from '@/app/_ui/format-figure'
import { type DetectedLayout, type Draft, detect, type Looked, look } from './act'
import { LookedCard } from './looked-card'

type Step = { kind: 'address' } | { kind: 'found'; layouts: DetectedLayout[] }
const UNANSWERED = 'The console did not answer. Nothing was saved: try again.'

/** Address → what is there → what its rows mean → connected. Until the last step nothing is saved. */
export function ConnectStore({ place }: { place: string }) {
  const [pending, startTransition] = useTransition()
  const [step, setStep] = useState<Step>({ kind: 'address' })
  const [draft, setDraft] = useState<Draft>({ url: '', adapter: '', config: '{}' })
  const [looked, setLooked] = useState<Looked | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const search = () =>
    startTransition(async () => {
      setLooked(null)
      const answer = await detect(draft.url).catch(() => null)
      setProblem(answer === null ? UNANSWERED : answer.kind === 'done' ? null : answer.why)
      if (answer?.kind === 'done') setStep({ kind: 'found', layouts: answer.value })
    })
  const preview = (next: Draft) =>
    startTransition(async () => {
      const answer = await look(next).catch(() => null)
      setProblem(answer === null ? UNANSWERED : answer.kind === 'done' ? null : answer.why)
      setLooked(answer?.kind === 'done' ? answer.value : null)
    })
  const choose = (layout: DetectedLayout) => {
    const next = { ...draft, adapter: layout.adapter, config: JSON.stringify(layout.config, null, 2) }
    setDraft(next)
    preview(next)
  }
  return (
    <>
      <AddressCard
        url={draft.url}
        pending={pending}
        onChange={(url) => setDraft({ ...draft, url })}
        onSearch={search}
      />
      <p role="alert" className="rounded-m bg-bad-soft px-4 py-2.5 text-bad-ink empty:hidden">
        {problem}
      </p>
      {step.kind === 'found' && <FoundCard layouts={step.layouts} chosen={draft.adapter} onChoose={choose} />}
      {draft.adapter !== '' && (
        <MappingCard
          draft={draft}
          pending={pending}
          onChange={(config) => {
            setDraft({ ...draft, config })
            setLooked(null)
          }}
          onPreview={() => preview(draft)}
        />
      )}
      {looked !== null && <LookedCard looked={looked} draft={draft} place={place} />}
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
        <label className="block">
          <span className="mb-1 block font-medium">Connection URL</span>
          <input
            type="password"
            name="url"
            value={props.url}
            required
            autoComplete="off"
            spellCheck={false}
            placeholder="postgres://idemscope_source:…@db/payments"
            onChange={(event) => props.onChange(event.target.value)}
            className={fieldClass}
          />
          <span className="mt-1 block text-ink-3 text-s">
            With a role of its own that may read. It is sealed when you connect, and never shown again.
          </span>
        </label>
        <div>
          <Button type="submit" look="primary" disabled={props.pending || props.url.trim() === ''}>
            {props.pending ? 'Looking …' : 'Look for idempotency tables'}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function FoundCard({
  layouts,
  chosen,
  onChoose,
}: {
  layouts: readonly DetectedLayout[]
  chosen: string
  onChoose: (layout: DetectedLayout) => void
}) {
  return (
    <Card id="found" title="2  What is there" aside={plural(layouts.length, 'layout')}>
      {layouts.length === 0 ? (
        <EmptyState kind="none" title="No table that we know by its columns">
          The role may not see its schema, or the library is another one: map any table with the adapter
          mapped-postgres, as docs/guides/foreign-stores.md says.
        </EmptyState>
      ) : (
        <ul>
          {layouts.map((layout) => (
            <li
              key={`${layout.schema}.${layout.table}`}
              className="flex min-h-13 flex-wrap items-center gap-3 border-line border-t px-4 py-2"
            >
              <div className="min-w-0 flex-1">
                <p className="font-medium">{layout.library}</p>
                <p className="text-ink-3 text-s">
                  <span className="font-mono">
                    {layout.schema}.{layout.table}
                  </span>
                  , about {countText(layout.rowsEstimate)} rows, adapter {layout.adapter}
                </p>
              </div>
              <Button look={chosen === layout.adapter ? 'plain' : 'primary'} onClick={() => onChoose(layout)}>
                Preview its rows
              </Button>
            </li>
          ))}
        </ul>
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
      <label className="mt-2 block">
        <span className="mb-1 block text-ink-2">Adapter {props.draft.adapter}</span>
        <textarea
          value={props.draft.config}
          rows={10}
          spellCheck={false}
          onChange={(event) => props.onChange(event.target.value)}
          className="block w-full rounded-m border border-edge bg-surface px-2.5 py-1.5 font-mono text-s max-md:text-[16px]"
        />
      </label>
      <Button className="mt-2" disabled={props.pending} onClick={props.onPreview}>
        {props.pending ? 'Reading …' : 'Preview again'}
      </Button>
    </details>
  )
}
