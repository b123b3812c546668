import { ActionDialog } from '@/app/_ui/action-dialog'
import { RadioFields, SelectField } from '@/app/_ui/field'
import { clockText, dayClockText, sameDay } from '@/app/_ui/format-time'
import { Note } from '@/app/_ui/note'
import type { Outage } from '@/lib/conditions/read-outages'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import { startReconciliation } from '../actions'
import type { StartQuery } from '../query'
import { type Prefilled, RunSubject } from './run-subject'

const WINDOWS = [
  { value: '1h', label: 'The last hour' },
  { value: '24h', label: 'The last 24 hours' },
  { value: '7d', label: 'The last 7 days' },
]

type Props = {
  sources: readonly SourceView[]
  outages: readonly Outage[]
  range: { from: string; to: string; live: boolean }
  /** A link led here to start one, perhaps about something. */
  asked: StartQuery
  now: Date
  forbidden: string | null
  place: string
}

/** A run: which sources, about what, and first dry. */
export function StartRun({ sources, outages, range, asked, now, forbidden, place }: Props) {
  const systems = [...new Set(sources.filter(({ enabled }) => enabled).map(({ system }) => system))]
  const down = sources.filter(({ enabled, state }) => enabled && state !== 'ok')
  const nameOf = (id: string) => sources.find((source) => source.id === id)?.name ?? id
  const ended = outages.map(({ source, from, to }) => ({ source, from, to: to ?? now.toISOString() }))
  return (
    <ActionDialog
      opener="Start a run"
      openerLook="primary"
      forbidden={systems.length === 0 ? 'No source is connected: there is nothing to compare' : forbidden}
      title={`Compare the sides in ${place}`}
      lead="Reads stores, ledgers and providers. No money moves and no key changes; a dry run opens no case either."
      confirm="Start 1 run"
      startsOpen={asked.start}
      action={startReconciliation.bind(null, { from: range.from, to: range.to })}
    >
      <SelectField
        name="system"
        label="Sources"
        defaultValue={systems.length === 1 ? systems[0] : 'all'}
        choices={[
          ...(systems.length > 1 ? [{ value: 'all', label: `All ${systems.length} systems` }] : []),
          ...systems.map((system) => ({
            value: system,
            label: `${system}: ${sources
              .filter((source) => source.system === system)
              .map(({ name }) => name)
              .join(', ')}`,
          })),
        ]}
      />
      <RunSubject
        windows={[
          { value: 'changed', label: 'All that changed since the last run' },
          { value: 'range', label: `The range shown: ${spanText(range)}` },
          ...WINDOWS,
        ]}
        // Whoever froze a range means it.
        window={range.live ? 'changed' : 'range'}
        outages={ended.map((outage) => ({
          value: `${outage.from}/${outage.to}`,
          label: `${nameOf(outage.source)}: ${spanText(outage)}`,
        }))}
        given={prefilled(asked, range, ended)}
      />
      <RadioFields
        name="mode"
        label="Mode"
        defaultValue="dry"
        choices={[
          { value: 'dry', label: 'Dry run: classify and count, open no case' },
          { value: 'real', label: 'For real: open, update and resolve cases' },
        ]}
      />
      {down.length > 0 && (
        <Note tone="warn">
          {down.map(({ name }) => name).join(', ')} cannot be read now: the run will end incomplete and
          resolve nothing.
        </Note>
      )}
    </ActionDialog>
  )
}

/** What the link that led here is about: an order, a key, or exactly the time of an outage. */
function prefilled(
  { reference, scope, key }: StartQuery,
  range: Props['range'],
  outages: readonly { from: string; to: string }[],
): Prefilled {
  const outage = outages.find(({ from, to }) => from === range.from && to === range.to)
  const subject =
    reference !== '' ? 'reference' : key !== '' ? 'key' : outage === undefined ? 'window' : 'outage'
  const shown = outage ?? outages[0]
  return { subject, reference, scope, key, outage: shown === undefined ? '' : `${shown.from}/${shown.to}` }
}

/** "22 Nov, 18:02 – 18:09 UTC": in a list of choices there is no room for both zones. */
function spanText({ from, to }: { from: string; to: string }): string {
  const [start, end] = [new Date(from), new Date(to)]
  const begin = sameDay(start, end, 'utc') ? clockText(start, 'utc') : dayClockText(start, 'utc')
  return `${begin} – ${sameDay(start, end, 'utc') ? clockText(end, 'utc') : dayClockText(end, 'utc')} UTC`
}
