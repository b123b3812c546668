'use client'

import { useId, useState } from 'react'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { SelectField, TextField } from '@/app/_ui/field'
import { HOLD_MINUTES_DEFAULT, type HoldKind } from '@/lib/core/hold-target'
import { saveHold } from './actions'

export type HoldStore = { id: string; name: string; routes: string[]; callers: string[] }
export type HoldGiven = Record<'route' | 'caller' | 'step' | 'scope' | 'key', string> & {
  kind: HoldKind
  source: string | null
}

type Props = {
  stores: HoldStore[]
  /** What a link asks for; null = nothing. */
  given: HoldGiven | null
  place: string
  /** Why this person may not; the button stays visible and says so. */
  forbidden: string | null
}

const KINDS: { value: HoldKind; label: string }[] = [
  { value: 'route', label: 'A route' },
  { value: 'caller', label: 'A caller' },
  { value: 'key', label: 'A key' },
  { value: 'step', label: 'A step of effects' },
  { value: 'store', label: 'Everything in the store' },
]

const LENGTHS = [
  { value: '15', label: '15 minutes' },
  { value: '30', label: '30 minutes' },
  { value: '60', label: '1 hour' },
  { value: '240', label: '4 hours' },
  { value: '720', label: '12 hours' },
  { value: '1440', label: '24 hours' },
]

const EMPTY: HoldGiven = { kind: 'route', source: null, route: '', caller: '', step: '', scope: '', key: '' }

/** Stops new executions at once: what, for how long, and why. */
export function HoldDialog({ stores, given, place, forbidden }: Props) {
  return (
    <ActionDialog
      opener="Hold"
      openerLook="primary"
      forbidden={forbidden ?? (stores.length === 0 ? 'No connected store keeps holds' : null)}
      startsOpen={given !== null}
      title={`Hold new executions in ${place}`}
      lead="They answer 503 within 2 seconds, in every process of the service. Replays go on, what runs ends. It ends by itself."
      confirm={`Hold new executions in ${place}`}
      withReason
      action={saveHold}
    >
      <Fields stores={stores} given={given ?? EMPTY} />
    </ActionDialog>
  )
}

function Fields({ stores, given }: { stores: HoldStore[]; given: HoldGiven }) {
  const [source, setSource] = useState(given.source ?? storeOf(stores, given.route)?.id ?? '')
  const [kind, setKind] = useState(given.kind)
  const store = stores.find(({ id }) => id === source)
  return (
    <div className="grid gap-3 sm:grid-cols-2 [&>*]:min-w-0">
      <SelectField
        label="Store"
        name="source"
        value={source}
        onChange={({ target }) => setSource(target.value)}
        choices={stores.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <SelectField
        label="What"
        name="kind"
        value={kind}
        onChange={({ target }) => setKind(KINDS.find(({ value }) => value === target.value)?.value ?? kind)}
        choices={KINDS}
      />
      {(kind === 'route' || kind === 'step') && (
        <OfferedField
          label={kind === 'route' ? 'Route' : 'Route; empty means every route'}
          name="route"
          placeholder="POST /v1/payments"
          given={given.route}
          offered={store?.routes ?? []}
        />
      )}
      {kind === 'caller' && (
        <OfferedField label="Caller" name="caller" given={given.caller} offered={store?.callers ?? []} />
      )}
      {kind === 'step' && (
        <TextField label="Step" name="step" defaultValue={given.step} maxLength={100} placeholder="charge" />
      )}
      {kind === 'key' && (
        <>
          <TextField label="Scope" name="scope" defaultValue={given.scope} maxLength={512} />
          <TextField label="Key" name="key" defaultValue={given.key} maxLength={255} />
        </>
      )}
      <SelectField
        label="Ends after"
        name="minutes"
        defaultValue={String(HOLD_MINUTES_DEFAULT)}
        choices={LENGTHS}
      />
    </div>
  )
}

const storeOf = (stores: HoldStore[], route: string): HoldStore | undefined =>
  stores.find(({ routes }) => routes.includes(route)) ?? stores[0]

/** A text with what the store has seen to choose from. */
function OfferedField({
  given,
  offered,
  ...field
}: {
  label: string
  name: string
  placeholder?: string
  given: string
  offered: string[]
}) {
  const listId = useId()
  return (
    <div>
      <TextField {...field} defaultValue={given} list={listId} maxLength={400} />
      <datalist id={listId}>
        {offered.map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </div>
  )
}
